// The thresholds and wording of the warnings.
#include "report/run_warnings.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "support/log.hpp"

namespace mnist {
namespace {

// Consecutive epochs that make a trend.
constexpr int kTrend = 3;
// A layer whose gradient norm is below this fraction of another's hardly learns.
constexpr double kVanishing = 1e-4;
// Healthy gradients of these networks have norms of 0.01 to 10.
constexpr double kExploding = 1e3;
// The first epochs may fill caches.
constexpr int kWarmUp = 2;
constexpr double kMemoryGrowth = 1.05;
constexpr std::int64_t kMemoryNoise = 16'000'000;

/// Appends to `warnings`. Ignores the gradients of biases.
void check_gradients(const EpochReport& report, std::vector<std::string>& warnings) {
  std::vector<std::pair<double, std::string>> norms;
  for (const auto& [name, norm] : report.gradient_norm) {
    if (name.ends_with("weight") && !std::isnan(norm)) norms.emplace_back(norm, name);
  }
  if (norms.empty()) return;
  const auto [smallest, largest] = std::minmax_element(norms.begin(), norms.end());
  if (smallest->first < kVanishing * largest->first) {
    warnings.push_back(fmt::format(
        "vanishing gradient: norm {:.2g} at {}, but {:.2g} at {}; try --activation relu, --init he "
        "or fewer layers",
        smallest->first, smallest->second, largest->first, largest->second));
  }
  if (largest->first > kExploding) {
    warnings.push_back(
        fmt::format("exploding gradient: norm {:.2g} at {}; try a lower --lr or --clip-norm 1",
                    largest->first, largest->second));
  }
}

}  // namespace

std::vector<std::string> RunWarnings::new_warnings(const EpochReport& report) {
  const bool diverging = validation_ && report.validation &&
                         report.validation->loss > validation_->loss &&
                         report.training.loss < training_loss_;
  diverging_epochs_ = diverging ? diverging_epochs_ + 1 : 0;
  training_loss_ = report.training.loss;
  validation_ = report.validation;
  const std::int64_t memory = report.peak_memory_bytes;
  growing_epochs_ = memory > memory_ ? growing_epochs_ + 1 : 0;
  memory_ = memory;
  if (++epochs_ <= kWarmUp) warm_memory_ = memory;

  std::vector<std::string> warnings;
  if (diverging_epochs_ >= kTrend) {
    warnings.push_back(fmt::format(
        "overfitting: validation loss has risen for {} epochs while training loss fell; try "
        "--patience, --dropout, augmentation or fewer --epochs",
        kTrend));
  }
  check_gradients(report, warnings);
  if (epochs_ > kWarmUp + kTrend && growing_epochs_ >= kTrend &&
      static_cast<double>(memory) >=
          kMemoryGrowth * static_cast<double>(warm_memory_) + kMemoryNoise) {
    warnings.push_back(
        fmt::format("memory growth: peak memory rose from {} MB after two epochs to {} MB",
                    warm_memory_ / 1'000'000, memory / 1'000'000));
  }
  std::erase_if(warnings, [&](const std::string& warning) {
    return !warned_.insert(warning.substr(0, warning.find(':'))).second;
  });
  return warnings;
}

void RunWarnings::on_epoch(const EpochReport& report) {
  for (const std::string& warning : new_warnings(report)) log_warning(warning);
}

}  // namespace mnist
