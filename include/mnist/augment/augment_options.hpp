// Strengths of the random distortions of training images.
#pragma once

namespace mnist {

/// 0 turns a distortion off. "Either way" means uniform in [-value, value].
struct AugmentOptions {
  double rotation = 0;            ///< degrees, either way, in [0, 180]
  double translation = 0;         ///< pixels, either way along each axis
  double scaling = 0;             ///< each axis is scaled by 1 - scaling to 1 + scaling; in [0, 1)
  double shear = 0;               ///< degrees, either way, in [0, 90)
  double elastic = 0;             ///< standard deviation of the displacement field, in pixels
  double elastic_smoothness = 4;  ///< standard deviation of the Gaussian that smooths it, in pixels
  double flip = 0;                ///< probability of a left-right flip
  double erasing = 0;             ///< probability of blanking a random rectangle
  double fade_augment = 0;        ///< fraction of the run's epochs, the last ones, over which all
                                  ///< but flips fade out; in [0, 1]

  constexpr bool any() const {
    return rotation > 0 || translation > 0 || scaling > 0 || shear > 0 || elastic > 0 || flip > 0 ||
           erasing > 0;
  }

  /// These options with everything but flips scaled by `strength`, in [0, 1].
  constexpr AugmentOptions weakened(double strength) const {
    AugmentOptions weaker = *this;
    for (double* value : {&weaker.rotation, &weaker.translation, &weaker.scaling, &weaker.shear,
                          &weaker.elastic, &weaker.erasing}) {
      *value *= strength;
    }
    return weaker;
  }
};

}  // namespace mnist
