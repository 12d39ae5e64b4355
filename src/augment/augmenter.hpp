// Distorts training images at random, anew in every epoch.
#pragma once

#include <cstdint>
#include <optional>

#include "augment/resample.hpp"
#include "mnist/augment/augment_options.hpp"

namespace mnist {

/// Makes distorted images: rotation, translation, scaling, shear, elastic distortion (Simard,
/// Steinkraus, Platt: "Best practices for convolutional neural networks", ICDAR 2003), mirroring,
/// and random erasing (Zhong et al. 2017, with blank rectangles, so that zeros stay zeros). What
/// comes out is a pure function of the seed, the epoch and the row. Each thread needs one of its
/// own.
class Augmenter {
 public:
  Augmenter(const AugmentOptions& options, std::int64_t rows, std::int64_t columns,
            std::uint64_t seed);

  /// Writes the form that `image` of row `row` has in `epoch` to `distorted`, both u8
  /// [rows, columns].
  void operator()(const std::uint8_t* image, std::int64_t epoch, std::int64_t row,
                  std::uint8_t* distorted);

 private:
  AugmentOptions options_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::uint64_t seed_;
  Resampler resample_;
  std::optional<SplineField> field_;
};

}  // namespace mnist
