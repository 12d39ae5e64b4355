// Random distortion of training images, different in every epoch.
#pragma once

#include <cstdint>
#include <optional>

#include "augment/resample.hpp"
#include "mnist/augment/augment_options.hpp"

namespace mnist {

/// Rotation, translation, scaling, shear, elastic distortion (Simard, Steinkraus, Platt: "Best
/// practices for convolutional neural networks", ICDAR 2003), flips, and random erasing (Zhong et
/// al. 2017, with blank rectangles, so that zeros stay zeros). The result is a pure function of
/// seed, epoch, strength and example index. Not thread-safe: each thread needs its own Augmenter.
class Augmenter {
 public:
  Augmenter(const AugmentOptions& options, std::int64_t rows, std::int64_t columns,
            std::uint64_t seed);

  /// Distorts `image`, example `index` of the dataset, for `epoch`; see AugmentOptions::weakened()
  /// for `strength`. Both images are u8 [rows, columns] and must not overlap.
  void operator()(const std::uint8_t* image, std::int64_t epoch, std::int64_t index,
                  std::uint8_t* distorted, double strength = 1);

 private:
  AugmentOptions options_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::uint64_t seed_;
  ResampleScratch scratch_;
  std::optional<SplineField> field_;
};

}  // namespace mnist
