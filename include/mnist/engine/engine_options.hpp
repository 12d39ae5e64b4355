// What an engine needs to know of the optimiser and the loss.
#pragma once

#include "mnist/options/option_text.hpp"

namespace mnist {

/// Adam: Kingma and Ba 2015, weight decay added to the gradient; AdamW: Loshchilov and Hutter 2019,
/// weight decay apart from it. The other numbers are PyTorch's defaults.
struct EngineOptions {
  Optimizer optimizer = Optimizer::kAdam;
  double weight_decay = 0;
  /// Part of the target that is spread evenly over all classes (Szegedy et al. 2016), 0 to 1.
  double label_smoothing = 0;
};

inline constexpr double kAdamBeta1 = 0.9;
inline constexpr double kAdamBeta2 = 0.999;
inline constexpr double kAdamEpsilon = 1e-8;

}  // namespace mnist
