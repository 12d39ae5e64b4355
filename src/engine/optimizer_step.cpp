// Bias corrections, weight decay and averaging weights.
#include "engine/optimizer_step.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {

OptimizerStep optimizer_step(const TrainOptions& options, std::int64_t step, double learning_rate) {
  const auto t = static_cast<double>(step);
  const bool decoupled = options.optimizer == Optimizer::kAdamW;
  return {
      .rate = static_cast<float>(learning_rate / (1 - std::pow(kBeta1, t))),
      .root_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(kBeta2, t))),
      .l2_penalty = decoupled ? 0 : static_cast<float>(options.weight_decay),
      .decay = decoupled ? static_cast<float>(1 - learning_rate * options.weight_decay) : 1,
      .average_weight = static_cast<float>(average_weight(options, step)),
  };
}

double average_weight(const TrainOptions& options, std::int64_t step) {
  if (options.ema == 0 || step % kStepsPerAverage != 0) return 0;
  // The decay grows with the step, so that the average soon forgets the initial weights.
  const auto t = static_cast<double>(step);
  return 1 - std::pow(std::min(options.ema, t / (t + 10)), static_cast<double>(kStepsPerAverage));
}

}  // namespace mnist
