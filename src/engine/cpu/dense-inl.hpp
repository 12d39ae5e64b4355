// Products that do not skip zeros: where half of the activations are not zero, it is faster to
// multiply by all of them, in blocks that stay in registers, than to find those. Measured on
// AVX-512 with minibatches of 512: 0.73 times the time for the forward pass, 0.57 for the gradients
// of units, 0.83 for those of weights. Included by kernels.cpp once for each instruction set.

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
/// A block of sums has this many rows, and one or two vectors of columns.
constexpr std::size_t kDenseRows = kRegisters / 4;  // a divisor of kTile and of kBlock
constexpr std::size_t kDenseVectors = 2;
static_assert(kDenseVectors * kBlock <= kScratchPerOutput);

/// At least half of the inputs, and more than a tile of examples: below that, finding the nonzero
/// ones was faster.
bool prefers_dense(const LayerInputs& inputs, std::size_t begin, std::size_t end) {
  if (inputs.tiles < 2) return false;
  std::size_t nonzero = 0;
  for (std::size_t tile = 0; tile < inputs.tiles; ++tile) {
    const std::uint32_t* const masks = inputs.masks + tile * inputs.inputs;
    for (std::size_t k = begin; k < end; ++k) {
      nonzero += static_cast<std::size_t>(std::popcount(masks[k]));
    }
  }
  return 2 * nonzero >= (end - begin) * inputs.tiles * kTile;
}

template <std::size_t V>
struct DenseSums {
  Vector of[kDenseRows][V];

  /// Starts from rows that are `stride` apart; from zeros if there are none.
  HWY_INLINE void start(const float* rows, std::size_t stride) {
    const FloatTag d;
    for (std::size_t i = 0; i < kDenseRows; ++i) {
      for (std::size_t v = 0; v < V; ++v) {
        of[i][v] = rows == nullptr ? hn::Zero(d) : hn::Load(d, rows + i * stride + v * kLanes);
      }
    }
  }

  /// Adds factors[i * stride] * columns[:] to each row i.
  HWY_INLINE void add_product(const float* factors, std::size_t stride, const float* columns) {
    const FloatTag d;
    Vector vectors[V];
    for (std::size_t v = 0; v < V; ++v) vectors[v] = hn::Load(d, columns + v * kLanes);
    for (std::size_t i = 0; i < kDenseRows; ++i) {
      const Vector factor = hn::Set(d, factors[i * stride]);
      for (std::size_t v = 0; v < V; ++v) of[i][v] = hn::MulAdd(factor, vectors[v], of[i][v]);
    }
  }

  HWY_INLINE void add(const DenseSums& other) {
    for (std::size_t i = 0; i < kDenseRows; ++i) {
      for (std::size_t v = 0; v < V; ++v) of[i][v] = hn::Add(other.of[i][v], of[i][v]);
    }
  }
};

/// The forward product of kDenseRows examples and V vectors of columns, with the order of sums of
/// linear_forward_run().
template <std::size_t V>
HWY_INLINE void dense_forward_block(const float* values, std::size_t value_stride,
                                    const InputRange& range, const float* weights,
                                    std::size_t columns, const float* bias, Rows outputs) {
  DenseSums<V> stack[std::bit_width(kMaxLeaves)];
  std::size_t depth = 0;
  std::size_t leaf = 0;
  for (std::size_t begin = range.begin; begin < range.end; ++leaf) {
    const std::size_t end = begin + std::min(range.leaf, range.end - begin);
    DenseSums<V> sums;
    sums.start(leaf == 0 ? bias : nullptr, 0);
    for (std::size_t k = begin; k < end; ++k) {
      sums.add_product(values + k, value_stride, weights + k * columns);
    }
    for (std::size_t n = end < range.end ? additions_after(leaf) : depth; n > 0; --n) {
      sums.add(stack[--depth]);
    }
    stack[depth++] = sums;
    begin = end;
  }
  const FloatTag d;
  for (std::size_t e = 0; e < kDenseRows; ++e) {
    for (std::size_t v = 0; v < V; ++v) {
      hn::Store(stack[0].of[e][v], d, outputs.data + e * outputs.stride + v * kLanes);
    }
  }
}

/// linear_forward(), including the rest of the last tile.
void dense_forward(const LayerInputs& inputs, const InputRange& range, const ParameterSlice& slice,
                   const float* bias, Rows outputs) {
  for_each_run<kDenseVectors>(0, slice.columns, [&]<std::size_t V>(std::size_t column) {
    for (std::size_t e = 0; e < inputs.tiles * kTile; e += kDenseRows) {
      dense_forward_block<V>(inputs.values + e * inputs.value_stride, inputs.value_stride, range,
                             slice.weights + column, slice.columns,
                             bias == nullptr ? nullptr : bias + column,
                             {outputs.data + e * outputs.stride + column, outputs.stride});
    }
  });
}

/// Writes rows of the weights from row k, V vectors of them, as columns: [outputs, V * kLanes].
template <std::size_t V>
HWY_INLINE void transpose_weights(const std::vector<ParameterSlice>& slices, std::size_t k,
                                  float* target) {
  const std::size_t rows = V * kLanes;
  for (const ParameterSlice& slice : slices) {
    for (std::size_t j = 0; j < slice.columns; ++j, target += rows) {
      for (std::size_t r = 0; r < rows; ++r) target[r] = slice.weights[(k + r) * slice.columns + j];
    }
  }
}

/// Stores scale * sums[:] where the masks of the units have the bit of the example, else 0.
template <std::size_t V>
HWY_INLINE void store_masked(const Vector* sums, const std::uint32_t* masks, std::size_t example,
                             Vector scale, float* target) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> du;
  const auto bit = hn::Set(du, std::uint32_t{1} << example);
  for (std::size_t v = 0; v < V; ++v) {
    const std::size_t place = v * kLanes;
    const auto active = hn::RebindMask(d, hn::TestBit(hn::LoadU(du, masks + place), bit));
    hn::Store(hn::IfThenElseZero(active, hn::Mul(scale, sums[v])), d, target + place);
  }
}

/// backward_input(), with sums in the order of the outputs.
void dense_backward_input(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                          const std::vector<ParameterSlice>& slices, Rows deltas, float scale,
                          Rows below, float* scratch) {
  std::size_t outputs = 0;
  for (const ParameterSlice& slice : slices) outputs += slice.columns;
  const Vector factor = hn::Set(FloatTag(), scale);
  for_each_run<kDenseVectors>(begin, end, [&]<std::size_t V>(std::size_t k) {
    const std::size_t rows = V * kLanes;
    transpose_weights<V>(slices, k, scratch);
    for (std::size_t e = 0; e < inputs.tiles * kTile; e += kDenseRows) {
      DenseSums<V> sums;
      sums.start(nullptr, 0);
      for (std::size_t j = 0; j < outputs; ++j) {
        sums.add_product(deltas.data + e * deltas.stride + j, deltas.stride, scratch + j * rows);
      }
      const std::uint32_t* const masks = inputs.masks + e / kTile * inputs.inputs + k;
      for (std::size_t i = 0; i < kDenseRows; ++i) {
        store_masked<V>(sums.of[i], masks, e % kTile + i, factor,
                        below.data + (e + i) * below.stride + k);
      }
    }
  });
}

/// The gradients of weight rows from row k, kDenseRows of them, added to `start` if there is one.
/// Not inlined: with Adam in the same function, GCC 12 does not keep the sums in registers.
template <std::size_t V>
HWY_NOINLINE void dense_weight_gradient(const LayerInputs& inputs, std::size_t k, Rows deltas,
                                        const float* start, std::size_t start_stride,
                                        DenseSums<V>& result) {
  DenseSums<V> sums;
  sums.start(start, start_stride);
  for (std::size_t e = 0; e < inputs.tiles * kTile; ++e) {
    sums.add_product(inputs.values + e * inputs.value_stride + k, 1,
                     deltas.data + e * deltas.stride);
  }
  result = sums;
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();
