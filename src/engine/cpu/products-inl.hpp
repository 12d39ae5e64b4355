// The products of the fused CPU engine: forward through a layer, and backward.
// Included by kernels.cpp once for each instruction set.

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
/// Inputs that the forward product takes at a time, and vectors of columns: their weights stay in
/// the registers. Neighboring pixels are mostly zero together, and a group of them loads and stores
/// the sums only once.
constexpr std::size_t kGroup = kRegisters == 32 ? 4 : 2;
constexpr std::size_t kGroupVectors = kRegisters == 32 ? 4 : kMaxVectors;

/// sums[e, :] += value(k, e) * weights[k, :] for inputs begin .. end - 1, G at a time, on R vectors
/// of columns; returns the first input that is left over. (Walking the nonzero inputs of one
/// example after another, with the sums in registers, was slower: its short loops are mispredicted
/// eight times as often.)
template <std::size_t G, std::size_t R, class Values>
HWY_INLINE std::size_t add_products(const Values& value, const std::uint32_t* masks,
                                    std::size_t begin, std::size_t end, const float* weights,
                                    std::size_t columns, float* sums) {
  const FloatTag d;
  std::size_t k = begin;
  for (; k + G <= end; k += G) {
    std::uint32_t bits = 0;
    for (std::size_t g = 0; g < G; ++g) bits |= masks[k + g];
    if (bits == 0) continue;
    Vector rows[G][R];
    for (std::size_t g = 0; g < G; ++g) {
      for (std::size_t r = 0; r < R; ++r) {
        rows[g][r] = hn::Load(d, weights + (k + g) * columns + r * kLanes);
      }
    }
    do {
      const auto e = static_cast<std::size_t>(std::countr_zero(bits));
      bits &= bits - 1;
      Vector factors[G];
      for (std::size_t g = 0; g < G; ++g) factors[g] = hn::Set(d, value(k + g, e));
      float* const HWY_RESTRICT sum = sums + e * R * kLanes;
      for (std::size_t r = 0; r < R; ++r) {
        Vector next = hn::Load(d, sum + r * kLanes);
        for (std::size_t g = 0; g < G; ++g) next = hn::MulAdd(factors[g], rows[g][r], next);
        hn::Store(next, d, sum + r * kLanes);
      }
    } while (bits != 0);
  }
  return k;
}

/// The same as a pairwise sum over the leaves of `range`.
template <std::size_t R, class Values>
HWY_INLINE void linear_forward_run(const Values& value, const std::uint32_t* masks,
                                   std::size_t examples, const InputRange& range,
                                   const float* weights, std::size_t columns, const float* bias,
                                   Rows outputs) {
  const FloatTag d;
  constexpr std::size_t kDepth = std::bit_width(kMaxLeaves);
  // Side by side, a constant distance apart: near in the cache and cheap to find.
  alignas(64) float stack[kDepth][kTile * R * kLanes];
  const std::size_t size = examples * R * kLanes;
  std::size_t depth = 0;
  std::size_t leaf = 0;
  for (std::size_t begin = range.begin; begin < range.end; ++leaf) {
    const std::size_t end = begin + std::min(range.leaf, range.end - begin);
    float* const sums = stack[depth++];
    if (leaf == 0 && bias != nullptr) {
      for (std::size_t e = 0; e < examples; ++e) {
        std::copy_n(bias, R * kLanes, sums + e * R * kLanes);
      }
    } else {
      std::fill_n(sums, size, 0.0F);
    }
    [[maybe_unused]] const std::size_t rest =
        add_products<kGroup, R>(value, masks, begin, end, weights, columns, sums);
    if constexpr (kGroup > 2) {
      add_products<2, R>(value, masks, rest, end, weights, columns, sums);
    }
    for (std::size_t n = end < range.end ? additions_after(leaf) : depth - 1; n > 0; --n, --depth) {
      float* const below = stack[depth - 2];
      const float* const top = stack[depth - 1];
      for (std::size_t i = 0; i < size; i += kLanes) {
        hn::Store(hn::Add(hn::Load(d, below + i), hn::Load(d, top + i)), d, below + i);
      }
    }
    begin = end;
  }
  for (std::size_t e = 0; e < examples; ++e) {
    std::copy_n(stack[0] + e * R * kLanes, R * kLanes, outputs.data + e * outputs.stride);
  }
}

template <class Values>
void linear_forward_of(const LayerInputs& inputs, const InputRange& range, std::size_t examples,
                       const ParameterSlice& slice, const float* bias, Rows outputs) {
  for (std::size_t tile = 0; tile * kTile < examples; ++tile) {
    const Values value(inputs, tile);
    float* const first = outputs.data + tile * kTile * outputs.stride;
    for_each_run<kGroupVectors>(0, slice.columns, [&]<std::size_t R>(std::size_t column) {
      linear_forward_run<R>(value, inputs.masks + tile * inputs.inputs,
                            std::min(kTile, examples - tile * kTile), range, slice.weights + column,
                            slice.columns, bias == nullptr ? nullptr : bias + column,
                            Rows{first + column, outputs.stride});
    });
  }
}

void linear_forward(const LayerInputs& inputs, const InputRange& range, std::size_t examples,
                    const ParameterSlice& slice, const float* bias, Rows outputs) {
  if (inputs.pixels != nullptr) {
    linear_forward_of<PixelValues>(inputs, range, examples, slice, bias, outputs);
  } else if (inputs.dense) {
    dense_forward(inputs, range, slice, bias, outputs);
  } else {
    linear_forward_of<ActivationValues>(inputs, range, examples, slice, bias, outputs);
  }
}

void add_partial_sums(const PartialSums& sums, std::size_t examples, std::size_t begin,
                      std::size_t end, const float* bias, Rows outputs) {
  const FloatTag d;
  Vector stack[std::bit_width(kMaxLeaves)];
  for (std::size_t e = 0; e < examples; ++e) {
    for (std::size_t column = begin; column < end; column += kLanes) {
      const float* data = sums.data + e * sums.stride + column;
      std::size_t depth = 0;
      for (const std::size_t additions : sums.additions) {
        Vector sum = hn::Load(d, data);
        for (std::size_t n = 0; n < additions; ++n) sum = hn::Add(stack[--depth], sum);
        stack[depth++] = sum;
        data += sums.node_stride;
      }
      hn::Store(hn::Add(hn::Load(d, bias + column), stack[0]), d,
                outputs.data + e * outputs.stride + column);
    }
  }
}

/// Writes row k of all slices, one behind the other; returns how many floats they are.
HWY_INLINE std::size_t gather_row(const std::vector<ParameterSlice>& slices, std::size_t k,
                                  float* target) {
  std::size_t size = 0;
  for (const ParameterSlice& slice : slices) {
    std::copy_n(slice.weights + k * slice.columns, slice.columns, target + size);
    size += slice.columns;
  }
  return size;
}

/// The sums of the lanes of four vectors at once: a quarter of the shuffles of four single ones.
HWY_INLINE void store_sums_of_lanes(Vector a, Vector b, Vector c, Vector e, float* sums) {
  const FloatTag d;
  const hn::RepartitionToWide<FloatTag> wide;
  const Vector ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const Vector ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto ab2 = hn::BitCast(wide, ab);
  const auto ce2 = hn::BitCast(wide, ce);
  const Vector all = hn::Add(hn::BitCast(d, hn::InterleaveLower(wide, ab2, ce2)),
                             hn::BitCast(d, hn::InterleaveUpper(wide, ab2, ce2)));
  // Each block of four lanes has a part of each sum.
  alignas(64) float parts[kLanes];
  hn::Store(all, d, parts);
  const hn::Full128<float> d4;
  auto sum = hn::Load(d4, parts);
  for (std::size_t i = 4; i < kLanes; i += 4) sum = hn::Add(sum, hn::Load(d4, parts + i));
  hn::Store(sum, d4, sums);
}

void backward_input(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                    const std::vector<ParameterSlice>& slices, Rows deltas, float scale, Rows below,
                    float* scratch) {
  if (inputs.dense) {
    dense_backward_input(inputs, begin, end, slices, deltas, scale, below, scratch);
    return;
  }
  const FloatTag d;
  for (std::size_t e = 0; e < inputs.tiles * kTile; ++e) {
    float* const row = below.data + e * below.stride;
    std::fill(row + begin, row + end, 0.0F);
  }
  for (std::size_t k = begin; k < end; ++k) {
    const std::size_t size = gather_row(slices, k, scratch);
    for (std::size_t tile = 0; tile < inputs.tiles; ++tile) {
      const float* const first = deltas.data + tile * kTile * deltas.stride;
      float* const target = below.data + tile * kTile * below.stride + k;
      std::uint32_t bits = inputs.masks[tile * inputs.inputs + k];
      while (bits != 0) {
        // Up to four examples at once share the loads of the weights.
        std::size_t e[4];
        std::size_t count = 0;
        for (; count < 4 && bits != 0; ++count, bits &= bits - 1) {
          e[count] = static_cast<std::size_t>(std::countr_zero(bits));
        }
        for (std::size_t i = count; i < 4; ++i) e[i] = e[0];
        Vector sum0 = hn::Zero(d);
        Vector sum1 = hn::Zero(d);
        Vector sum2 = hn::Zero(d);
        Vector sum3 = hn::Zero(d);
        for (std::size_t j = 0; j < size; j += kLanes) {
          const Vector weights = hn::Load(d, scratch + j);
          sum0 = hn::MulAdd(weights, hn::Load(d, first + e[0] * deltas.stride + j), sum0);
          sum1 = hn::MulAdd(weights, hn::Load(d, first + e[1] * deltas.stride + j), sum1);
          sum2 = hn::MulAdd(weights, hn::Load(d, first + e[2] * deltas.stride + j), sum2);
          sum3 = hn::MulAdd(weights, hn::Load(d, first + e[3] * deltas.stride + j), sum3);
        }
        alignas(16) float sums[4];
        store_sums_of_lanes(sum0, sum1, sum2, sum3, sums);
        // Backwards: places beyond `count` repeat the first.
        for (std::size_t i = 4; i-- > 0;) target[e[i] * below.stride] = scale * sums[i];
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();
