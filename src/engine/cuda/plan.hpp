// How the CUDA engine partitions a network: which block of threads owns which units, and the offset
// of every array in shared and in device memory; and the arguments of the kernels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/dropout.hpp"
#include "mnist/augment/augment_options.hpp"
#include "mnist/support/error.hpp"
#include "support/host_device.hpp"

namespace mnist {

struct MlpShape;

/// The kernel cannot train this network on this device, but another engine can. Thrown before the
/// first step.
class CudaUnsupported : public Error {
 public:
  using Error::Error;
};

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
  int threads = 0;
  int layer_count = 0;
  CudaLayer layers[kMaxCudaLayers];
  int batch = 0;
  int tiles = 0;         ///< per minibatch
  int examples = 0;      ///< tiles * kCudaLanes, at least `batch`
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
/// Throws CudaUnsupported when the kernel lacks the activation, or the network or a minibatch is
/// too large.
CudaPlan make_cuda_plan(const MlpShape& shape, std::int64_t batch, const CudaLimits& limits);

/// The numbers that are the same in all steps of a run; see OptimizerStep and TrainOptions.
struct CudaHyperparameters {
  float beta1 = 0, beta2 = 0, epsilon = 0;
  float gain1 = 0, gain2 = 0;  ///< 1 - beta; from f64, because 1 - 0.999F is off by 5e-5 of itself
  float l2_penalty = 0;
  float label_smoothing = 0;
  float clip_norm = 0;  ///< 0: no clipping
  float clip_epsilon = 0;
  float pixel_scale = 0;  ///< a pixel's byte is multiplied by it
};

/// The numbers of one step; see OptimizerStep.
struct CudaStep {
  float step_size = 0;            ///< learning rate / (1 - beta1^t)
  float root_scale = 0;           ///< 1 / sqrt(1 - beta2^t)
  float weight_decay_factor = 1;  ///< of AdamW: weights are multiplied by it
  float average_weight = 0;       ///< of the weights in their average; 0 leaves the average alone
};

/// Arguments of the training kernel. All pointers are to device memory.
struct CudaTrainArgs {
  CudaHyperparameters hyperparameters;
  const std::uint32_t* images = nullptr;  ///< [n, pixel_words] words of four pixels
  bool in_order = false;                  ///< images are in the order of `indices`, one for each
  const std::uint8_t* labels = nullptr;   ///< [n]
  const std::int32_t* indices = nullptr;  ///< [index_count]: examples in training order
  std::int64_t index_count = 0;
  /// Dropout masks of each hidden layer: [count, tiles, outputs], a bit per example of the tile;
  /// null keeps all.
  const std::uint32_t* keep[kMaxCudaLayers] = {};
  float keep_scale[kMaxCudaLayers] = {};  ///< activations that are kept are multiplied by it
  const CudaStep* steps = nullptr;        ///< [count]
  int count = 0;                          ///< steps
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
};

/// The dropout masks of one layer's inputs.
struct CudaMasks {
  Dropout dropout{0, 0, 0};
  int units = 0;
  std::uint32_t* keep = nullptr;  ///< [steps, tiles, units], a bit per example of the tile; null
                                  ///< without dropout
};

/// Arguments of the kernels that draw dropout masks and augment images before training, for a chunk
/// of steps. All pointers are to device memory.
struct CudaPreparationArgs {
  int batch = 0;
  int tiles = 0;
  int steps = 0;
  std::int64_t first_step = 0;  ///< of the run, from 1
  std::int64_t epoch = 0;
  std::uint64_t seed = 0;
  std::int64_t index_count = 0;
  const std::int32_t* indices = nullptr;  ///< [index_count]

  CudaMasks masks[kMaxCudaLayers];  ///< of each linear layer's inputs

  int image_rows = 0;
  int image_columns = 0;
  int pixel_words = 0;
  const std::uint32_t* images = nullptr;  ///< [n, pixel_words], the data set
  std::uint32_t* prepared = nullptr;      ///< [index_count, pixel_words], augmented, with dropped
                                          ///< pixels blank; null when the data set's images serve
  AugmentOptions augment;
  int grid_rows = 0;  ///< of the elastic field; 0 without one
  int grid_columns = 0;
  int padded_columns = 0;
  const float* row_weights = nullptr;     ///< SplineField::row_weights
  const float* column_weights = nullptr;  ///< SplineField::column_weights

  MNIST_HOST_DEVICE int field_points() const { return grid_rows * grid_columns; }
};

/// Floats of shared memory that distort_images() needs: an affine map, a rectangle, a field.
MNIST_HOST_DEVICE inline int shared_floats_of(const CudaPreparationArgs& args) {
  constexpr int kMapAndRectangle = 16;
  return kMapAndRectangle + 2 * args.field_points();
}

}  // namespace mnist
