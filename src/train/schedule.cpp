// How the learning rate and the strength of distortion change over a run.
#include "mnist/train/schedule.hpp"

#include <cmath>
#include <numbers>

#include "mnist/options/train_options.hpp"

namespace mnist {
namespace {

// Defaults of PyTorch's OneCycleLR.
constexpr double kRisingPart = 0.3;
constexpr double kFirstDivisor = 25;
constexpr double kLastDivisor = 25 * 1e4;

/// From `from` at 0 to `to` at 1, along half a cosine.
double half_cosine(double from, double to, double part) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

double one_cycle(double highest, double step, double steps) {
  const double top = kRisingPart * steps - 1;  // as PyTorch counts
  if (step < top) return half_cosine(highest / kFirstDivisor, highest, step / top);
  return half_cosine(highest, highest / kLastDivisor, (step - top) / (steps - 1 - top));
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
  const double fading = options.augment.fade_augment * epochs;
  const double left = epochs - static_cast<double>(epoch) + 0.5;
  return left < fading ? left / fading : 1;
}

}  // namespace mnist
