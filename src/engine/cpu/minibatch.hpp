// The minibatches of the fused CPU engine, prepared ahead by all threads together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "augment/augmenter.hpp"
#include "engine/cpu/kernels.hpp"
#include "engine/dropout.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "support/aligned.hpp"

namespace mnist {

/// The pixels of one minibatch, transposed; dropped pixels are 0.
struct CpuMinibatch {
  std::span<const std::int64_t> indices;
  std::int64_t step = 0;               ///< of the run, from 1
  AlignedVector<std::uint8_t> pixels;  ///< [tiles, inputs, kTile]
  AlignedVector<std::uint32_t> masks;  ///< [tiles, inputs]
  std::vector<std::uint8_t> labels;
  std::size_t tiles() const { return (indices.size() + kTile - 1) / kTile; }
};

/// Gathers examples of the data set into minibatches. Two are kept: the current one and the next.
/// Augmentation works one minibatch further ahead.
class CpuMinibatches {
 public:
  /// `dataset` and `kernels` must outlive it. `inputs` is the padded number of pixels.
  CpuMinibatches(const Dataset& dataset, const TrainOptions& options, const CpuKernels& kernels,
                 std::size_t inputs, int threads);

  /// Starts on `steps`, of which the first is number `first_step` of the run. Not for threads.
  void start(const Steps& steps, std::int64_t first_step);

  /// The minibatch of step i, which must have been prepared.
  const CpuMinibatch& at(std::size_t i) const { return minibatches_[i % 2]; }

  /// A thread's share of the work for step i; all threads call it between the same two barriers:
  /// first distort(i), then, after a barrier, prepare(i). Nothing happens beyond the last step.
  void distort(int thread, std::size_t i);
  void prepare(int thread, std::size_t i);

  /// Prefetches the images that are read at the end of step i, which are scattered over 47 MB.
  void prefetch(int thread, std::size_t i) const;

  /// The network input for each pixel value: f32 [256], 0 to 1, times the scale of input dropout.
  const float* pixel_values() const { return pixel_values_.data(); }

 private:
  const std::uint8_t* image(std::int64_t index) const {
    return dataset_.images.data() + static_cast<std::size_t>(index) * blank_image_.size();
  }

  const Dataset& dataset_;
  const CpuKernels& kernels_;
  const std::size_t inputs_;
  const int threads_;
  const Dropout dropout_;
  std::vector<Augmenter> augmenters_;  ///< one for each thread; none when nothing is distorted
  std::vector<float> pixel_values_;
  std::vector<std::uint8_t> blank_image_;
  CpuMinibatch minibatches_[2];
  std::vector<std::uint8_t> distorted_[2];
  std::vector<AlignedVector<std::uint32_t>> keep_;  ///< [inputs], of each thread
  Steps steps_;
  std::int64_t first_step_ = 0;
};

}  // namespace mnist
