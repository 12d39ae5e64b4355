// What an engine needs to know of the optimiser, the loss, and what is done to the examples.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "mnist/options/train_options.hpp"

namespace mnist {

/// Adam: Kingma and Ba 2015, weight decay added to the gradient; AdamW: Loshchilov and Hutter 2019,
/// weight decay apart from it. The other numbers are PyTorch's defaults.
struct EngineOptions {
  Optimizer optimizer = Optimizer::kAdam;
  double weight_decay = 0;
  /// Largest L2 norm of the gradient over all parameters; a longer one is scaled down (Pascanu et
  /// al. 2013). 0 is any.
  double clip_norm = 0;
  /// Decay per step of the average of the weights; 0 keeps none. See average_weight().
  double ema = 0;
  /// Part of the target that is spread evenly over all classes (Szegedy et al. 2016), 0 to 1.
  double label_smoothing = 0;
  /// Probability of dropping a unit: of the inputs, then of each hidden layer; empty is none.
  std::vector<double> dropout = {};
  AugmentOptions augment = {};
  /// Of dropout and augmentation.
  std::uint64_t seed = 0;

  double dropout_of(std::size_t layer) const { return dropout.empty() ? 0 : dropout.at(layer); }
};

inline constexpr double kAdamBeta1 = 0.9;
inline constexpr double kAdamBeta2 = 0.999;
inline constexpr double kAdamEpsilon = 1e-8;

/// What clip_grad_norm_ adds to the norm before it divides by it.
inline constexpr double kClipEpsilon = 1e-6;

/// Steps between two updates of the averaged weights: the same average for an eighth of the work.
inline constexpr std::int64_t kStepsOfAverage = 8;

/// How much the weights after `step` steps count in the average: average += weight * (weights -
/// average). 0 when they are not looked at. The first steps count more, so that the average soon
/// forgets where it began.
inline double average_weight(double ema, std::int64_t step) {
  if (ema == 0 || step % kStepsOfAverage != 0) return 0;
  const auto t = static_cast<double>(step);
  return 1 - std::pow(std::min(ema, t / (t + 10)), static_cast<double>(kStepsOfAverage));
}

}  // namespace mnist
