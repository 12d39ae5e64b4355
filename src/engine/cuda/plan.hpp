// How the CUDA engine partitions a network: which block of threads owns which units, and the offset
// of every array in shared and in device memory; and the arguments of the kernels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/dropout.hpp"
#include "engine/optimizer_step.hpp"
#include "mnist/augment/augment_options.hpp"

namespace mnist {

struct MlpShape;

/// Threads of a warp, and examples of a tile: thread n of every warp works on example n of a tile.
inline constexpr int kCudaLanes = 32;

/// Units whose sums a thread keeps in registers at once: MNIST's number of classes.
inline constexpr int kCudaUnits = 10;

inline constexpr int kPixelsPerWord = 4;

/// Linear layers that the kernel's arguments can describe, the last one included.
inline constexpr int kMaxCudaLayers = 8;

/// What a kernel may use of a device.
struct CudaLimits {
  int blocks = 0;                ///< resident at the same time, one per multiprocessor
  int threads = 0;               ///< per block, a multiple of kCudaLanes
  std::size_t shared_bytes = 0;  ///< of shared memory per block
};

/// One linear layer. Each block owns up to `units_per_block` of its units. Every block has the
/// whole last layer, so that none has to wait for another one's logits.
struct CudaLayer {
  int inputs = 0;
  int outputs = 0;
  int units_per_block = 0;  ///< the last blocks may have fewer, or none
  int row_stride = 0;       ///< floats per unit in shared memory: `inputs`, rounded up to float4

  // Offsets in floats into arrays of shared memory.
  int weights = 0;  ///< weights [units_per_block, row_stride], then biases [units_per_block]
  int deltas = 0;   ///< activations, and gradients with respect to logits or pre-activations,
                    ///< [units_per_block, examples]

  // Offsets in floats into arrays of device memory.
  std::int64_t parameters = 0;        ///< weight [outputs, inputs], then bias [outputs]
  std::int64_t activations = 0;       ///< exchanged: [2, tiles, outputs, lanes], by parity of step
  std::int64_t exchanged_deltas = 0;  ///< exchanged: [tiles, outputs, lanes]
  std::int64_t transposed = 0;        ///< exchanged: weights [2, inputs, outputs], by parity of
                                      ///< step; hidden layers but the first
};

/// Offsets into shared memory, in floats.
struct CudaSharedLayout {
  int weights = 0, first_moments = 0, second_moments = 0, gradients = 0;  ///< of the block's units
  int activations = 0;                                                    ///< of the block's units
  int deltas = 0;   ///< of the block's units, and of all logits
  int logits = 0;   ///< of a tile, [classes, lanes]
  int scratch = 0;  ///< partial sums of warps, or of groups of threads
  int labels = 0;   ///< [buffers, examples]
  int pixels = 0;   ///< [buffers, examples, pixel_stride] words of four pixels
  int end = 0;
};

struct CudaPlan {
  int blocks = 0;
  int layer_count = 0;
  CudaLayer layers[kMaxCudaLayers];
  int tiles = 0;         ///< per minibatch
  int examples = 0;      ///< tiles * kCudaLanes, at least those of a minibatch
  int pixel_words = 0;   ///< words of four pixels per image
  int pixel_stride = 0;  ///< words per image in shared memory; odd, to avoid bank conflicts
  int buffers = 0;       ///< minibatches of pixels in shared memory: with 2, one is prefetched
  int parameters = 0;    ///< floats in each of a block's arrays of parameters
  int scratch = 0;       ///< floats
  CudaSharedLayout shared;
  std::int64_t exchange = 0;  ///< floats of device memory through which blocks exchange values
  std::int64_t all_parameters = 0;

  std::size_t shared_bytes() const { return static_cast<std::size_t>(shared.end) * sizeof(float); }
};

/// Plans the training of `shape` with minibatches of at most `batch` on a device with these limits.
/// Throws Error when the kernel lacks the activation, or the network or a minibatch is too large.
CudaPlan make_cuda_plan(const MlpShape& shape, std::int64_t batch, const CudaLimits& limits);

/// Arguments of the kernels, for a chunk of steps. All pointers are to device memory.
struct CudaArgs {
  float label_smoothing = 0;
  float clip_norm = 0;    ///< 0: no clipping
  float pixel_scale = 0;  ///< a pixel's byte is multiplied by it
  std::uint64_t seed = 0;
  Dropout dropouts[kMaxCudaLayers];       ///< of each linear layer's inputs
  const std::uint32_t* images = nullptr;  ///< [n, pixel_words], the dataset
  const std::uint8_t* labels = nullptr;   ///< [n]

  int count = 0;  ///< steps
  int batch = 0;
  std::int64_t first_step = 0;  ///< of the run, from 1
  std::int64_t epoch = 0;
  const OptimizerStep* steps = nullptr;  ///< [count]
  std::int64_t index_count = 0;
  const std::int32_t* indices = nullptr;  ///< [index_count]: examples in training order

  // [all_parameters] each, in the order of the state dict; updated by the kernel.
  float* weights = nullptr;
  float* first_moments = nullptr;
  float* second_moments = nullptr;
  float* averages = nullptr;        ///< may be null when no step has an average_weight
  float* exchange = nullptr;        ///< [CudaPlan::exchange]
  float* squares = nullptr;         ///< [layers, 2, blocks]: sums of the last step's squared
                                    ///< gradients, of weights and of biases
  float* losses = nullptr;          ///< [index_count], before each example's own step
  std::uint8_t* correct = nullptr;  ///< [index_count], 1 where the prediction was right

  // Augmentation.
  std::uint32_t* prepared = nullptr;  ///< [index_count, pixel_words], augmented, with dropped
                                      ///< pixels blank; null when the dataset's images serve
  AugmentOptions augment;
  int image_rows = 0;
  int image_columns = 0;
  int grid_rows = 0;  ///< of the elastic field; 0 without one
  int grid_columns = 0;
  int padded_columns = 0;
  const float* row_weights = nullptr;     ///< SplineField::row_weights
  const float* column_weights = nullptr;  ///< SplineField::column_weights

  /// Control points of the elastic field.
  MNIST_HOST_DEVICE int field_points() const { return grid_rows * grid_columns; }
  /// Bytes of shared memory that distort_images() needs.
  std::size_t field_bytes() const {
    return 2 * static_cast<std::size_t>(field_points()) * sizeof(float);
  }
};

}  // namespace mnist
