// The formulas of the schedules.
#include "mnist/train/schedule.hpp"

#include <cmath>
#include <numbers>

#include "mnist/options/train_options.hpp"

namespace mnist {
namespace {

// Defaults of PyTorch's OneCycleLR: pct_start, div_factor, and div_factor * final_div_factor.
constexpr double kWarmupFraction = 0.3;
constexpr double kInitialDivisor = 25;
constexpr double kFinalDivisor = 25 * 1e4;

/// From `start` at fraction 0 to `end` at fraction 1.
double half_cosine(double start, double end, double fraction) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * fraction)) / 2;
}

double one_cycle(double max_lr, double step, double steps) {
  const double peak = kWarmupFraction * steps - 1;  // as PyTorch counts
  if (step < peak) return half_cosine(max_lr / kInitialDivisor, max_lr, step / peak);
  return half_cosine(max_lr, max_lr / kFinalDivisor, (step - peak) / (steps - 1 - peak));
}

}  // namespace

double learning_rate(const TrainOptions& options, std::int64_t step, std::int64_t steps_of_epoch) {
  const auto now = static_cast<double>(step);
  const auto steps = static_cast<double>(options.epochs * steps_of_epoch);
  const double warmup =
      options.warmup * (options.warmup < 1 ? steps : static_cast<double>(steps_of_epoch));
  if (now + 1 < warmup) return options.lr * (now + 1) / warmup;
  switch (options.schedule) {
    case Schedule::kConstant:
      break;
    case Schedule::kStep:
      return options.lr *
             std::pow(options.step_factor, step / steps_of_epoch / options.step_epochs);
    case Schedule::kCosine:
      return half_cosine(options.lr, 0, (now - warmup) / (steps - warmup));
    case Schedule::kOneCycle:
      return one_cycle(options.lr, now, steps);
  }
  return options.lr;
}

double augment_strength(const TrainOptions& options, std::int64_t epoch) {
  const auto epochs = static_cast<double>(options.epochs);
  const double fading_epochs = options.augment.fade_augment * epochs;
  const double left = epochs - static_cast<double>(epoch) + 0.5;
  return left < fading_epochs ? left / fading_epochs : 1;
}

}  // namespace mnist
