// The arithmetic of the fused CPU engine: products and Adam, for each instruction set.
//
// A minibatch is cut into tiles of 32 examples. Each input of a layer has a 32-bit mask: the
// examples of the tile in which it is not zero. Weights have a row for each input, so that both
// products walk the same masks and keep rows in registers:
//
//     forward    outputs[e, :] += value(k, e) * weights[k, :]      for every bit e of mask k
//     gradient        row[:]   += value(k, e) * deltas[e, :]       for every bit e of mask k,
//                then Adam on weights[k, :] with that row, which is never stored
//
//            inputs k                    outputs of the slice
//         +------------+              +-----------------------+
//     e   | . x . . x  |   row k ->   | weights[k, 0..columns)|
//         | x . . . x  |              +-----------------------+
//         +------------+
//           masks[k] = 0b..11 for the last column
//
// This is fast for pixels and for few examples; other activations go through dense-inl.hpp. A zero
// adds nothing, so skipping it changes no sum. The order of every sum is the same however outputs
// and inputs are cut into parts, so results do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/optimizer_step.hpp"

namespace mnist {

/// Examples of a tile, one for each bit of a mask.
inline constexpr std::size_t kTile = 32;

/// Columns of weights and rows of activations are padded to this many floats: one cache line.
inline constexpr std::size_t kBlock = 16;

/// Floats that CpuKernels::backward_input() needs for each output of its layer.
inline constexpr std::size_t kScratchPerOutput = 2 * kBlock;

/// The inputs of a layer, for all tiles of a minibatch: pixels, or the activations of the previous
/// layer. An odd number of inputs is padded with one of zeros.
struct LayerInputs {
  std::size_t inputs = 0;
  std::size_t tiles = 0;
  const std::uint32_t* masks = nullptr;  ///< [tiles, inputs]
  const std::uint8_t* pixels = nullptr;  ///< [tiles, inputs, kTile], or null
  const float* pixel_values = nullptr;   ///< what each byte of `pixels` stands for, [256]
  const float* values = nullptr;         ///< [tiles * kTile, value_stride] when there are no pixels
  std::size_t value_stride = 0;
  bool dense = false;  ///< multiply by all values, not only by those that are not zero
};

/// Rows begin .. end - 1 of weights: inputs of a layer.
struct InputRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t leaf = ~std::size_t{0};  ///< inputs in a leaf of the pairwise sum over them
};

/// Parameters of a slice with their moments: arrays [rows, columns], columns a multiple of kBlock.
struct ParameterSlice {
  std::size_t columns = 0;
  float* weights = nullptr;
  float* first_moments = nullptr;
  float* second_moments = nullptr;
  float* squares = nullptr;  ///< [rows / square_rows, columns]: sums of squared gradients
  std::size_t square_rows = ~std::size_t{0};
};

/// Where a gradient comes from and goes to; all arrays are [rows, columns]. With neither a target
/// nor a step, its squares are summed in ParameterSlice::squares.
struct GradientUse {
  const float* start = nullptr;         ///< the products are added to it; null: to zero
  std::span<float* const> sums = {};    ///< are added to the result, the last one first
  float* target = nullptr;              ///< stores the result; may be `start` or one of `sums`
  const OptimizerStep* step = nullptr;  ///< updates the parameters with the result
};

/// Sums over some of a layer's inputs, and how to add them up: after node i, the last two sums are
/// added additions[i] times (see pairwise.hpp).
struct PartialSums {
  const float* data = nullptr;  ///< [nodes, examples, stride]
  std::size_t node_stride = 0;
  std::size_t stride = 0;
  std::span<const std::size_t> additions;
};

/// Some columns of a row-major matrix.
struct Rows {
  float* data = nullptr;
  std::size_t stride = 0;
};

/// What the loss of a minibatch needs besides the logits.
struct LossOptions {
  std::size_t classes = 0;
  float scale = 1;      ///< of the gradient: 1 / examples of the minibatch
  float smoothing = 0;  ///< fraction of the target spread over all classes
};

/// A dropout mask, and the factor on the activations that it keeps.
struct Kept {
  const std::uint32_t* masks = nullptr;  ///< [tiles, mask_stride]; null keeps all
  float scale = 1;
};

/// The kernels of one instruction set.
struct CpuKernels {
  /// Whether products with inputs begin .. end - 1, which must be activations, are faster `dense`.
  bool (*prefers_dense)(const LayerInputs& inputs, std::size_t begin, std::size_t end);

  /// outputs[e, :] = bias + sum over the inputs k of `range` of value(k, e) * weights[k, :] for
  /// examples 0 .. examples - 1. A null `bias` is zero. The rest of the last tile may be
  /// overwritten.
  void (*linear_forward)(const LayerInputs& inputs, const InputRange& range, std::size_t examples,
                         const ParameterSlice& slice, const float* bias, Rows outputs);

  /// outputs[e, :] = bias + the partial sums of columns begin .. end - 1; `bias` and `outputs`
  /// start at column 0.
  void (*add_partial_sums)(const PartialSums& sums, std::size_t examples, std::size_t begin,
                           std::size_t end, const float* bias, Rows outputs);

  /// ReLU and dropout in place on `columns` columns; masks[tile * mask_stride + column] marks the
  /// activations that are not 0. `kept` has the same stride. The rest of the last tile becomes 0.
  void (*relu)(Rows activations, std::size_t examples, std::size_t columns, const Kept& kept,
               std::uint32_t* masks, std::size_t mask_stride);

  /// Softmax cross-entropy of examples 0 .. examples - 1. Logits become their gradients; losses[e]
  /// is set. Returns the number of correct predictions (of equal logits, the first counts).
  std::size_t (*softmax_loss)(Rows logits, std::size_t examples, const std::uint8_t* labels,
                              const LossOptions& options, float* losses);

  /// below[e, k] = scale * sum over all outputs j of deltas[e, j] * weights[k, j] where the mask of
  /// k has bit e, else 0; for inputs begin .. end - 1, multiples of kBlock if they are activations.
  /// `scale` is that of dropout, `slices` are the whole layer, and `scratch` holds
  /// kScratchPerOutput floats for each of its outputs. The order of the sum depends on
  /// `inputs.dense`.
  void (*backward_input)(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                         const std::vector<ParameterSlice>& slices, Rows deltas, float scale,
                         Rows below, float* scratch);

  /// The gradient of weight rows begin .. end - 1: even numbers, multiples of kBlock if the inputs
  /// are activations. `active` marks the rows that ever had a nonzero input; the others are
  /// unchanged and may be skipped.
  void (*backward_weight)(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                          Rows deltas, const ParameterSlice& slice, const GradientUse& use,
                          std::uint8_t* active);

  /// The same for the bias, whose input is always 1: columns begin .. end - 1.
  void (*backward_bias)(Rows deltas, std::size_t examples, std::size_t begin, std::size_t end,
                        const ParameterSlice& bias, const GradientUse& use);

  /// Transposes pixels begin .. end - 1 (multiples of kBlock, or the end of the image) of the kTile
  /// `images` to `pixels` [inputs, kTile] and marks in `masks` [inputs] which are not zero. `keep`
  /// [inputs], if not null, drops pixels without its bit.
  void (*transpose_pixels)(const std::uint8_t* const* images, std::size_t begin, std::size_t end,
                           const std::uint32_t* keep, std::uint8_t* pixels, std::uint32_t* masks);

  /// Columns whose sums the products keep in registers: slices of weights are as wide, so that a
  /// product reads memory in order.
  std::size_t slice_columns;

  const char* target;  ///< the instruction set, "AVX3" for AVX-512
};

/// The kernels of the best instruction set that this processor has.
const CpuKernels& best_cpu_kernels();

/// The kernels of each instruction set that this processor has, for tests.
std::vector<const CpuKernels*> all_cpu_kernels();

/// The network input for each pixel value: f32 [256], 0 to 1, times `scale`. As in the reference
/// engine, a multiplication by 1 / 255.
std::vector<float> pixel_values(float scale = 1);

/// Flushes subnormal numbers to zero on the calling thread: moments of weights without a gradient
/// decay into them, and arithmetic on them is many times slower.
void flush_subnormals();

}  // namespace mnist
