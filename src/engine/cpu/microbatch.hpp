// The microbatches of the fused CPU engine, and their images, prepared ahead by all threads.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "augment/augmenter.hpp"
#include "data/image_exchange.hpp"
#include "engine/cpu/kernels.hpp"
#include "engine/dropout.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "support/aligned.hpp"

namespace mnist {

/// A part of a minibatch, small enough for its activations to stay in the cache. The gradients of a
/// minibatch are summed pairwise over leaves of examples, within a leaf one microbatch after
/// another.
struct CpuMicrobatch {
  std::int64_t step = 0;  ///< of the call, from 0
  std::size_t begin = 0;  ///< its first example in the minibatch, a multiple of kTile
  std::size_t examples = 0;
  std::size_t minibatch = 0;  ///< examples of the whole minibatch
  std::size_t number = 0;     ///< of all processes' microbatches of the minibatch, or of the call
  std::size_t depth = 0;      ///< of the stack of sums before its leaf is pushed
  std::size_t additions = 0;  ///< on that stack after it, if it ends a leaf; see pairwise.hpp
  bool starts_leaf = true;
  bool ends_step = true;  ///< it is the minibatch's last one of this process
  std::size_t index = 0;  ///< of this process's microbatches of the call
  /// The minibatch has no other part: its gradient is used at once and never stored.
  bool whole() const { return examples == minibatch; }
};

/// The microbatches of a minibatch that process `rank` of `size` computes. Processes share out its
/// leaves, and one whose share is empty gets a microbatch without examples, to take the step. A
/// minibatch of one leaf is computed by all.
std::vector<CpuMicrobatch> microbatches_of(std::int64_t step, std::size_t examples, int rank = 0,
                                           int size = 1);

/// The leaves and the microbatches of a minibatch, of all processes.
std::size_t leaves_of(std::size_t examples);
std::size_t microbatch_count(std::size_t examples);

/// The pixels of one microbatch, transposed; dropped pixels are 0.
struct CpuImages {
  AlignedVector<std::uint8_t> pixels;  ///< [tiles, inputs, kTile]
  AlignedVector<std::uint32_t> masks;  ///< [tiles, inputs]
  std::vector<std::uint8_t> labels;
};

/// Gathers the images of microbatches. Two are kept: the current one and the next. Augmentation
/// works one microbatch further ahead.
class CpuMicrobatches {
 public:
  /// `dataset`, `kernels` and `processes` must outlive it. `inputs` is the padded number of pixels.
  CpuMicrobatches(const Dataset& dataset, const TrainOptions& options, const CpuKernels& kernels,
                  std::size_t inputs, int threads, Communicator& processes);

  /// Starts on `steps`, of which the first is number `first_step` of the run.
  void start(const Steps& steps, std::int64_t first_step);

  /// The microbatches of this process, and the number of examples in the largest one so far.
  const std::vector<CpuMicrobatch>& own() const { return microbatches_; }
  std::size_t largest() const { return largest_; }

  /// The number of microbatches of all processes.
  std::size_t count_of_all() const { return count_of_all_; }

  /// The images of a microbatch, which must have been prepared.
  const CpuImages& images(const CpuMicrobatch& part) const { return images_[part.index % 2]; }

  /// A thread's share of the work for microbatch i: first distort(i), then, after a barrier,
  /// prepare(i). Both do nothing beyond the last microbatch.
  void distort(int thread, std::size_t i);
  void prepare(int thread, std::size_t i);

  /// Prefetches the images that are read during microbatch i, which are scattered over 47 MB.
  void prefetch(int thread, std::size_t i) const;

  /// The network input for each pixel value: f32 [256], 0 to 1, times the scale of input dropout.
  const float* pixel_values() const { return pixel_values_.data(); }

 private:
  void fetch_images();
  std::span<const std::int64_t> indices(std::size_t i) const;
  const std::uint8_t* image(std::int64_t index) const {
    return exchange_ ? exchange_->image(index) : dataset_.image(index).data();
  }

  const Dataset& dataset_;
  const CpuKernels& kernels_;
  const std::size_t inputs_;
  const int threads_;
  const int rank_;
  const int processes_;
  std::optional<ImageExchange> exchange_;  ///< with several processes
  const Dropout dropout_;
  std::vector<Augmenter> augmenters_;  ///< one for each thread; none when nothing is distorted
  std::vector<float> pixel_values_;
  std::vector<std::uint8_t> blank_image_;
  std::vector<CpuMicrobatch> microbatches_;
  std::size_t count_of_all_ = 0;
  std::size_t largest_ = 0;
  CpuImages images_[2];
  std::vector<std::uint8_t> distorted_[2];
  AlignedVector<std::uint32_t> keep_;  ///< [inputs]: which pixels of a tile are not dropped
  Steps steps_;
  std::int64_t first_step_ = 0;
};

}  // namespace mnist
