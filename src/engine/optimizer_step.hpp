// The coefficients of one optimization step, computed once for all engines.
#pragma once

#include <cstdint>

#include "mnist/options/train_options.hpp"

namespace mnist {

// PyTorch's defaults.
inline constexpr double kBeta1 = 0.9;
inline constexpr double kBeta2 = 0.999;
inline constexpr double kAdamEpsilon = 1e-8;

// The same in f32. The gains are 1 - beta in f64: 1 - 0.999F has a relative error of 5e-5.
inline constexpr auto kBeta1F = static_cast<float>(kBeta1);
inline constexpr auto kGain1F = static_cast<float>(1 - kBeta1);
inline constexpr auto kBeta2F = static_cast<float>(kBeta2);
inline constexpr auto kGain2F = static_cast<float>(1 - kBeta2);
inline constexpr auto kAdamEpsilonF = static_cast<float>(kAdamEpsilon);

/// The epsilon of clip_grad_norm_: gradients are scaled by max_norm / (norm + kClipEpsilon).
inline constexpr double kClipEpsilon = 1e-6;

/// Averaged weights are updated every eighth step: the same average for an eighth of the work.
inline constexpr std::int64_t kStepsPerAverage = 8;

/// Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), in this order:
///   gradient = clip * gradient + l2_penalty * weight;  weight *= decay
///   m = kBeta1 m + (1 - kBeta1) gradient;  v = kBeta2 v + (1 - kBeta2) gradient^2
///   weight -= rate * m / (root_scale * sqrt(v) + kAdamEpsilon)
///   average += average_weight * (weight - average)
struct OptimizerStep {
  float rate = 0;            ///< learning_rate / (1 - kBeta1^t), for step t from 1
  float root_scale = 0;      ///< 1 / sqrt(1 - kBeta2^t)
  float clip = 1;            ///< set by the engine, with --clip-norm
  float l2_penalty = 0;      ///< weight decay of Adam
  float decay = 1;           ///< weight decay of AdamW: 1 - learning_rate * weight_decay
  float average_weight = 0;  ///< 0: the averages stay
};

/// The coefficients of step `step`, counted from 1 over the whole run.
OptimizerStep optimizer_step(const TrainOptions& options, std::int64_t step, double learning_rate);

/// The weight of step `step` in the averages, 0 without --ema and between updates.
double average_weight(const TrainOptions& options, std::int64_t step);

}  // namespace mnist
