// The numbers of one optimisation step, computed once for all engines.
#pragma once

#include <cstdint>

#include "mnist/options/train_options.hpp"

namespace mnist {

/// The epsilon of clip_grad_norm_: gradients are scaled by max_norm / (norm + kClipEpsilon).
inline constexpr double kClipEpsilon = 1e-6;

/// Averaged weights are updated every eighth step: the same average for an eighth of the work.
inline constexpr std::int64_t kStepsPerAverage = 8;

/// Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), in this order:
///   gradient += l2_penalty * weight;  weight *= decay
///   m = beta1 m + (1 - beta1) gradient;  v = beta2 v + (1 - beta2) gradient^2
///   weight -= learning_rate * (m / correction1) / (sqrt(v / correction2) + epsilon)
///   average += average_weight * (weight - average)
/// Betas and epsilon are PyTorch's defaults.
struct OptimizerStep {
  double learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double correction1 = 1;     ///< 1 - beta1^t, for step t from 1
  double correction2 = 1;     ///< 1 - beta2^t
  double l2_penalty = 0;      ///< weight decay of Adam
  double decay = 1;           ///< weight decay of AdamW: 1 - learning_rate * weight_decay
  double average_weight = 0;  ///< 0: the averages stay
};

/// The numbers of step `step`, counted from 1 over the whole run.
OptimizerStep optimizer_step(const TrainOptions& options, std::int64_t step, double learning_rate);

}  // namespace mnist
