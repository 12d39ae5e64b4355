// The arithmetic of the fused CPU engine: sparse products and Adam, for each instruction set.
//
// A minibatch is cut into tiles of 32 examples. What goes into a layer is known by columns: for
// each input a mask of 32 bits says in which examples of the tile it is not zero. Weights lie with
// a row for each input, so that both products walk the same masks and keep their rows in registers:
//
//     forward    outputs[e, :] += value(k, e) * weights[k, :]      for every bit e of mask k
//     gradient        row[:]   += value(k, e) * deltas[e, :]       for every bit e of mask k,
//                then Adam on weights[k, :] with that row, which never goes to memory
//
//            inputs k                    outputs of the slice
//         +------------+              +-----------------------+
//     e   | . x . . x  |   row k ->   | weights[k, 0..columns)|
//         | x . . . x  |              +-----------------------+
//         +------------+
//           masks[k] = 0b..11 for the last column
//
// A zero adds nothing, so skipping it changes no sum. Every sum is taken in the same order however
// the outputs are cut into slices: the same numbers come out for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mnist {

/// Examples of a tile, one for each bit of a mask.
inline constexpr std::size_t kTile = 32;

/// Columns of weights and rows of activations are padded to this many floats: one cache line.
inline constexpr std::size_t kBlock = 16;

/// What goes into a layer, for all tiles of a minibatch: pixels, or the activations of the layer
/// before. The number of inputs is even; one that was odd has an input of zeros behind it.
struct LayerInputs {
  std::size_t inputs = 0;
  std::size_t tiles = 0;
  const std::uint32_t* masks = nullptr;  ///< [tiles, inputs]
  const std::uint8_t* pixels = nullptr;  ///< [tiles, inputs, kTile], or null
  const float* pixel_values = nullptr;   ///< what each byte of `pixels` stands for, [256]
  const float* values = nullptr;         ///< [tiles * kTile, value_stride] when there are no pixels
  std::size_t value_stride = 0;
};

/// Parameters of a slice with their moments: arrays [rows, columns], columns a multiple of kBlock.
/// Moments are sums without the factors 1 - beta; AdamStep makes up for it.
struct ParameterSlice {
  std::size_t columns = 0;
  float* weights = nullptr;
  float* first_moments = nullptr;
  float* second_moments = nullptr;
};

/// The numbers of one Adam step (Kingma and Ba 2015), bias corrections included.
struct AdamStep {
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float rate = 0;        ///< lr (1 - beta1) / (1 - beta1^t)
  float root_scale = 0;  ///< sqrt((1 - beta2) / (1 - beta2^t))
  float epsilon = 1e-8F;
  float clip = 1;        ///< times the gradient
  float l2_penalty = 0;  ///< added to the gradient, times the weight
  float keep = 1;        ///< what decoupled weight decay leaves of a weight
};

/// Some columns of a row-major matrix.
struct Rows {
  float* data = nullptr;
  std::size_t stride = 0;
};

/// Weights of one slice of a layer, for products with all of the layer's outputs.
struct WeightPanel {
  const float* weights = nullptr;  ///< [inputs, columns]
  std::size_t columns = 0;
};

/// What the loss of a minibatch needs besides the logits.
struct LossOptions {
  std::size_t classes = 0;
  float scale = 1;      ///< of the gradient: 1 / examples of the minibatch
  float smoothing = 0;  ///< part of the target that is spread over all classes
};

/// Which activations are kept by dropout, and what they are multiplied by.
struct Kept {
  const std::uint32_t* masks = nullptr;  ///< [tiles, mask_stride]; null keeps all
  float scale = 1;
};

/// The kernels of one instruction set.
struct CpuKernels {
  /// outputs[e, :] = bias + sum over k of value(k, e) * weights[k, :] for examples begin .. end
  /// - 1.
  void (*forward)(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                  const ParameterSlice& slice, const float* bias, Rows outputs);

  /// ReLU and dropout in place on `columns` columns; masks[tile * mask_stride + column] tells what
  /// is left. `kept` has the same stride.
  void (*relu)(Rows activations, std::size_t examples, std::size_t columns, const Kept& kept,
               std::uint32_t* masks, std::size_t mask_stride);

  /// Softmax cross-entropy of examples begin .. end - 1. Logits become their gradients; losses[e]
  /// is set. Returns how many have their own label's logit on top (the first of equal ones counts).
  std::size_t (*softmax_loss)(Rows logits, std::size_t begin, std::size_t end,
                              const std::uint8_t* labels, const LossOptions& options,
                              float* losses);

  /// below[e, k] = scale * sum over all outputs j of deltas[e, j] * weights[k, j] where the mask of
  /// k has bit e, else 0; for inputs begin .. end - 1. `scale` is that of dropout. `scratch` holds
  /// a row of all panels.
  void (*backward)(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                   const std::vector<WeightPanel>& panels, Rows deltas, float scale, Rows below,
                   float* scratch);

  /// The gradient of weights begin .. end - 1 (rows; even numbers) and Adam with it. `touched`
  /// marks the rows that ever had an input; others are exactly as they were and are passed over.
  /// When `squares` is not null, the squared gradients of each column are added to it.
  void (*update)(const LayerInputs& inputs, std::size_t begin, std::size_t end, Rows deltas,
                 const ParameterSlice& slice, const AdamStep& step, std::uint8_t* touched,
                 float* squares);

  /// The squared gradients and `touched` alone, as update() leaves them; no parameter changes.
  void (*measure)(const LayerInputs& inputs, std::size_t begin, std::size_t end, Rows deltas,
                  const ParameterSlice& slice, std::uint8_t* touched, float* squares);

  /// The same for the bias, whose input is always 1.
  void (*update_bias)(Rows deltas, std::size_t examples, const ParameterSlice& bias,
                      const AdamStep& step, float* squares);
  void (*measure_bias)(Rows deltas, std::size_t examples, const ParameterSlice& bias,
                       float* squares);

  /// Transposes pixels begin .. end - 1 (multiples of kBlock, or the end of the image) of the kTile
  /// `images` to `pixels` [inputs, kTile] and marks in `masks` [inputs] which are not zero. Where
  /// `keep` [inputs] is not null, pixels without its bit become zero.
  void (*transpose_pixels)(const std::uint8_t* const* images, std::size_t begin, std::size_t end,
                           const std::uint32_t* keep, std::uint8_t* pixels, std::uint32_t* masks);

  /// Columns whose sums the products keep in registers: slices of weights are as wide, so that the
  /// rows that a product walks lie one behind the other.
  std::size_t slice_columns;

  const char* target;  ///< the instruction set, "AVX3" for AVX-512
};

/// The kernels of the best instruction set that this processor has.
const CpuKernels& best_cpu_kernels();

/// Those of every instruction set that this processor has and the build knows, for tests.
std::vector<const CpuKernels*> all_cpu_kernels();

/// What each byte of an image stands for: f32 [256], 0 to 1, times `scale`. Made by the product
/// with the same constant as the reference engine has.
std::vector<float> pixel_values(float scale = 1);

/// Sets the calling thread to take subnormal numbers for zero: moments of weights without gradient
/// decay into them, and processors are many times slower at them.
void flush_subnormals();

}  // namespace mnist
