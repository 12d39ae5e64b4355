// The products of the fused CPU engine: forward through a layer, and backward.
// Included by kernels.cpp once for each instruction set.

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
/// One tile, one run of R vectors of columns. Inputs go in pairs: neighbouring pixels are mostly
/// zero together, and a pair halves the loads and stores of the outputs.
template <std::size_t R, class Values>
HWY_INLINE void linear_forward_run(const Values& value, const std::uint32_t* masks,
                                   std::uint32_t examples, std::size_t inputs, const float* weights,
                                   std::size_t columns, const float* bias, Rows outputs) {
  const FloatTag d;
  const std::size_t lanes = hn::Lanes(d);
  // Side by side, a constant distance apart: near in the cache and cheap to find.
  alignas(64) float sums[kTile * R * hn::MaxLanes(FloatTag())];
  for (std::uint32_t bits = examples; bits != 0; bits &= bits - 1) {
    std::copy_n(bias, R * lanes,
                sums + static_cast<std::size_t>(std::countr_zero(bits)) * R * lanes);
  }
  for (std::size_t k = 0; k < inputs; k += 2) {
    std::uint32_t bits = (masks[k] | masks[k + 1]) & examples;
    if (bits == 0) continue;
    Vector row0[R];
    Vector row1[R];
    for (std::size_t r = 0; r < R; ++r) {
      row0[r] = hn::Load(d, weights + k * columns + r * lanes);
      row1[r] = hn::Load(d, weights + (k + 1) * columns + r * lanes);
    }
    do {
      const auto e = static_cast<std::size_t>(std::countr_zero(bits));
      bits &= bits - 1;
      const Vector x0 = hn::Set(d, value(k, e));
      const Vector x1 = hn::Set(d, value(k + 1, e));
      float* const HWY_RESTRICT output = sums + e * R * lanes;
      for (std::size_t r = 0; r < R; ++r) {
        const Vector sum = hn::MulAdd(x0, row0[r], hn::Load(d, output + r * lanes));
        hn::Store(hn::MulAdd(x1, row1[r], sum), d, output + r * lanes);
      }
    } while (bits != 0);
  }
  for (std::uint32_t bits = examples; bits != 0; bits &= bits - 1) {
    const auto e = static_cast<std::size_t>(std::countr_zero(bits));
    std::copy_n(sums + e * R * lanes, R * lanes, outputs.data + e * outputs.stride);
  }
}

template <class Values>
void linear_forward_of(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                       const ParameterSlice& slice, const float* bias, Rows outputs) {
  for (std::size_t tile = begin / kTile; tile * kTile < end; ++tile) {
    const Values value(inputs, tile);
    const std::uint32_t examples = tile_bits(tile, begin, end);
    float* const first = outputs.data + tile * kTile * outputs.stride;
    for_each_run(slice.columns, [&]<std::size_t R>(std::size_t column) {
      linear_forward_run<R>(value, inputs.masks + tile * inputs.inputs, examples, inputs.inputs,
                            slice.weights + column, slice.columns, bias + column,
                            Rows{first + column, outputs.stride});
    });
  }
}

void linear_forward(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                    const ParameterSlice& slice, const float* bias, Rows outputs) {
  if (inputs.pixels != nullptr) {
    linear_forward_of<PixelValues>(inputs, begin, end, slice, bias, outputs);
  } else {
    linear_forward_of<ActivationValues>(inputs, begin, end, slice, bias, outputs);
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

void backward_input(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                    const std::vector<ParameterSlice>& slices, Rows deltas, float scale, Rows below,
                    float* scratch) {
  const FloatTag d;
  const std::size_t lanes = hn::Lanes(d);
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
        for (std::size_t j = 0; j < size; j += lanes) {
          const Vector weights = hn::Load(d, scratch + j);
          sum0 = hn::MulAdd(weights, hn::Load(d, first + e[0] * deltas.stride + j), sum0);
          sum1 = hn::MulAdd(weights, hn::Load(d, first + e[1] * deltas.stride + j), sum1);
          sum2 = hn::MulAdd(weights, hn::Load(d, first + e[2] * deltas.stride + j), sum2);
          sum3 = hn::MulAdd(weights, hn::Load(d, first + e[3] * deltas.stride + j), sum3);
        }
        target[e[0] * below.stride] = scale * hn::GetLane(hn::SumOfLanes(d, sum0));
        if (count > 1) target[e[1] * below.stride] = scale * hn::GetLane(hn::SumOfLanes(d, sum1));
        if (count > 2) target[e[2] * below.stride] = scale * hn::GetLane(hn::SumOfLanes(d, sum2));
        if (count > 3) target[e[3] * below.stride] = scale * hn::GetLane(hn::SumOfLanes(d, sum3));
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();
