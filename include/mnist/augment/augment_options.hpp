// How strongly training images are distorted.
#pragma once

namespace mnist {

/// Each strength is the end of a range around "unchanged"; 0 is off.
struct AugmentOptions {
  double rotation = 0;            ///< degrees, either way, 0 to 180
  double translation = 0;         ///< pixels, along each axis
  double scaling = 0;             ///< part of the size, along each axis, 0 to below 1
  double shear = 0;               ///< degrees, either way, 0 to below 90
  double elastic = 0;             ///< pixels, standard deviation of the displacement field
  double elastic_smoothness = 4;  ///< pixels, standard deviation of the Gaussian it is smoothed by
  double flip = 0;                ///< probability of mirroring left to right
  double erasing = 0;             ///< probability of blanking a rectangle

  constexpr bool any() const {
    return rotation > 0 || translation > 0 || scaling > 0 || shear > 0 || elastic > 0 || flip > 0 ||
           erasing > 0;
  }
};

}  // namespace mnist
