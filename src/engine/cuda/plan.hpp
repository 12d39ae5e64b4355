// How the CUDA engine lays a network out: which block of threads owns which units, and where in
// shared and in device memory everything lies. Plain numbers, made on the host, read by the kernel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mnist/support/error.hpp"

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

/// Units whose sums a thread keeps in registers at once: as many as MNIST has classes.
inline constexpr int kCudaUnits = 10;

/// Pixels that are moved at once.
inline constexpr int kPixelsOfWord = 4;

/// Layers that the kernel has room for, the one of the logits included.
inline constexpr int kMaxCudaLayers = 8;

/// What a kernel may use of a device.
struct CudaLimits {
  int blocks = 0;                ///< that are on the device at the same time, one a multiprocessor
  int threads = 0;               ///< of a block, a multiple of kCudaLanes
  std::size_t shared_bytes = 0;  ///< of shared memory of a block
};

/// One linear layer. Each block owns `share` of its units; the last layer is every block's own, so
/// that no block has to wait for another one's logits.
struct CudaLayer {
  int inputs = 0;
  int outputs = 0;
  int share = 0;    ///< units of a block; the last blocks may have fewer, or none
  int row = 0;      ///< floats of a unit's weights in shared memory: `inputs`, in whole float4
  int weights = 0;  ///< where the block's weights [share, row], then biases [share], begin in each
                    ///< array of parameters in shared memory
  int deltas = 0;   ///< where the gradients of the block's logits or activations begin in `deltas`,
                    ///< [share, examples]; its activations in `activations` as well
  std::int64_t parameters = 0;   ///< where weight [outputs, inputs], then bias [outputs], begin in
                                 ///< the arrays of all parameters
  std::int64_t activations = 0;  ///< where this layer's [2, tiles, outputs, lanes] begin in what
                                 ///< blocks exchange; steps take turns with the two
  std::int64_t exchanged_deltas = 0;  ///< the same for gradients, [tiles, outputs, lanes]
  std::int64_t columns = 0;  ///< the same for the weights by columns, [2, inputs, outputs]; of the
                             ///< hidden layers but the first
};

/// Offsets into shared memory, in floats.
struct CudaSharedLayout {
  int weights = 0, first_moments = 0, second_moments = 0, gradients = 0;  ///< parameters of a block
  int activations = 0;                                                    ///< of the block's units
  int deltas = 0;   ///< of the block's units, and of all logits
  int logits = 0;   ///< of a tile, [classes, lanes]
  int scratch = 0;  ///< sums of each warp, or parts of a gradient
  int labels = 0;   ///< [buffers, examples]
  int pixels = 0;   ///< [buffers, examples, pixel_row] words of four pixels
  int end = 0;
};

/// Everything about a network and a size of minibatches that stays as it is.
struct CudaPlan {
  int blocks = 0;
  int threads = 0;
  int layer_count = 0;
  CudaLayer layers[kMaxCudaLayers];
  int batch = 0;
  int tiles = 0;        ///< of a minibatch
  int examples = 0;     ///< places for examples: tiles * kCudaLanes
  int pixel_words = 0;  ///< words of four pixels in an image
  int pixel_row = 0;    ///< the same in shared memory; odd, so that lanes read from all banks
  int buffers = 0;      ///< minibatches of pixels in shared memory: 2 fetch one ahead
  int parameters = 0;   ///< of a block, in each of its arrays
  int scratch = 0;      ///< floats
  CudaSharedLayout shared;
  std::int64_t exchange = 0;  ///< floats that blocks exchange through device memory
  std::int64_t all_parameters = 0;

  std::size_t shared_bytes() const { return static_cast<std::size_t>(shared.end) * sizeof(float); }
};

/// Plans the training of `shape` with minibatches of at most `batch` on a device with these limits.
/// Throws CudaUnsupported when the kernel lacks the activation, or the network or a minibatch is
/// too large.
CudaPlan make_cuda_plan(const MlpShape& shape, std::int64_t batch, const CudaLimits& limits);

/// Adam and AdamW for a whole run, and the loss; see EngineOptions.
struct CudaRules {
  float beta1 = 0, beta2 = 0, epsilon = 0;
  float l2_penalty = 0;  ///< added to the gradient, times the weight
  float smoothing = 0;
  float clip_norm = 0;  ///< 0: none
  float clip_epsilon = 0;
  float pixel_scale = 0;  ///< what a pixel's byte is multiplied by
};

/// The numbers of one step.
struct CudaStep {
  float rate = 0;            ///< lr / (1 - beta1^t)
  float root_scale = 0;      ///< 1 / sqrt(1 - beta2^t)
  float keep = 1;            ///< what decoupled weight decay leaves of a weight
  float average_weight = 0;  ///< 0: the averages stay
};

/// Steps for one launch of the kernel; every pointer is one of the device's.
struct CudaSteps {
  CudaRules rules;
  const std::uint32_t* images = nullptr;  ///< [n, pixel_words] words of four pixels
  bool in_order = false;                  ///< whether images are those of `rows`, in their order
  const std::uint8_t* labels = nullptr;   ///< [n]
  const std::int32_t* rows = nullptr;     ///< of all minibatches, one after another
  std::int64_t row_count = 0;
  const std::uint32_t* kept[kMaxCudaLayers] = {};  ///< dropout of each hidden layer's units,
                                                   ///< [count, tiles, outputs], bits of a tile's
                                                   ///< examples; null keeps all
  float kept_scale[kMaxCudaLayers] = {};           ///< what is kept is multiplied by
  const CudaStep* steps = nullptr;                 ///< [count]
  int count = 0;
  float* weights = nullptr;         ///< all parameters, as the state dict has them
  float* first_moments = nullptr;   ///< the same
  float* second_moments = nullptr;  ///< the same
  float* averages = nullptr;        ///< the same, or null
  float* exchange = nullptr;        ///< CudaPlan::exchange floats
  float* squares = nullptr;         ///< [2 * layers, blocks]: of the gradient, of the last step
  float* losses = nullptr;          ///< [row_count], before each example's own step
  std::uint8_t* correct = nullptr;  ///< [row_count]: 1 where the guess was right
};

}  // namespace mnist
