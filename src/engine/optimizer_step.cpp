// Bias corrections, weight decay and averaging weights.
#include "engine/optimizer_step.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {
namespace {

/// The decay grows with the step, so that the average soon forgets the initial weights.
double average_weight(double ema, std::int64_t step) {
  if (ema == 0 || step % kStepsPerAverage != 0) return 0;
  const auto t = static_cast<double>(step);
  return 1 - std::pow(std::min(ema, t / (t + 10)), static_cast<double>(kStepsPerAverage));
}

}  // namespace

OptimizerStep optimizer_step(const TrainOptions& options, std::int64_t step, double learning_rate) {
  const auto t = static_cast<double>(step);
  OptimizerStep numbers;
  numbers.learning_rate = learning_rate;
  numbers.correction1 = 1 - std::pow(numbers.beta1, t);
  numbers.correction2 = 1 - std::pow(numbers.beta2, t);
  if (options.optimizer == Optimizer::kAdam) {
    numbers.l2_penalty = options.weight_decay;
  } else {
    numbers.decay = 1 - learning_rate * options.weight_decay;
  }
  numbers.average_weight = average_weight(options.ema, step);
  return numbers;
}

}  // namespace mnist
