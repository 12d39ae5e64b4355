// The thresholds and wording of the warnings.
#include "report/run_warnings.hpp"

#include <limits>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "support/log.hpp"

namespace mnist {
namespace {

// Consecutive epochs that make a trend.
constexpr std::size_t kTrend = 3;
// A layer whose gradient norm is below this fraction of another's hardly learns.
constexpr double kVanishing = 1e-4;
// Healthy gradients of these networks have norms of 0.01 to 10.
constexpr double kExploding = 1e3;
constexpr double kMemoryGrowth = 1.05;
constexpr std::int64_t kMemoryNoise = 16'000'000;

/// The smallest and the largest norm of a weight's gradient, with their names; biases are ignored.
struct NormRange {
  std::pair<std::string, double> smallest;
  std::pair<std::string, double> largest;
};

NormRange weight_norms(const EpochReport& report) {
  NormRange range{{"", std::numeric_limits<double>::infinity()}, {"", 0}};
  for (const auto& entry : report.gradient_norm) {
    if (!entry.first.ends_with("weight")) continue;
    if (entry.second < range.smallest.second) range.smallest = entry;
    if (entry.second > range.largest.second) range.largest = entry;
  }
  return range;
}

std::string vanishing(const NormRange& norms) {
  if (norms.smallest.second >= kVanishing * norms.largest.second) return "";
  return fmt::format(
      "vanishing gradient: norm {:.2g} at {}, but {:.2g} at {}; try --activation relu, --init he "
      "or fewer layers",
      norms.smallest.second, norms.smallest.first, norms.largest.second, norms.largest.first);
}

std::string exploding(const NormRange& norms) {
  if (norms.largest.second <= kExploding) return "";
  return fmt::format("exploding gradient: norm {:.2g} at {}; try a lower --lr or --clip-norm 1",
                     norms.largest.second, norms.largest.first);
}

}  // namespace

std::string RunWarnings::overfitting() const {
  if (epochs_.size() <= kTrend) return "";
  for (std::size_t i = epochs_.size() - kTrend; i < epochs_.size(); ++i) {
    const bool diverging = epochs_[i].validation_loss > epochs_[i - 1].validation_loss &&
                           epochs_[i].training_loss < epochs_[i - 1].training_loss;
    if (!diverging) return "";
  }
  return fmt::format(
      "overfitting: validation loss has risen for {} epochs while training loss fell; try "
      "--patience, --dropout, augmentation or fewer --epochs",
      kTrend);
}

/// The first two epochs are exempt, as they may fill caches.
std::string RunWarnings::memory_growth() const {
  if (epochs_.size() <= kTrend + 2) return "";
  for (std::size_t i = epochs_.size() - kTrend; i < epochs_.size(); ++i) {
    if (epochs_[i].peak_memory_bytes <= epochs_[i - 1].peak_memory_bytes) return "";
  }
  const std::int64_t before = epochs_[1].peak_memory_bytes;
  const std::int64_t now = epochs_.back().peak_memory_bytes;
  if (static_cast<double>(now) < kMemoryGrowth * static_cast<double>(before) + kMemoryNoise) {
    return "";
  }
  return fmt::format("memory growth: peak memory rose from {} MB after two epochs to {} MB",
                     before / 1'000'000, now / 1'000'000);
}

std::vector<std::string> RunWarnings::new_warnings(const EpochReport& report) {
  epochs_.push_back(
      {report.training.loss,
       report.validation ? report.validation->loss : std::numeric_limits<double>::quiet_NaN(),
       report.peak_memory_bytes});
  const NormRange norms = weight_norms(report);
  std::vector<std::string> warnings;
  for (std::string warning : {overfitting(), vanishing(norms), exploding(norms), memory_growth()}) {
    if (warning.empty()) continue;
    const std::string kind = warning.substr(0, warning.find(':'));
    if (warned_.insert(kind).second) warnings.push_back(std::move(warning));
  }
  return warnings;
}

void RunWarnings::on_epoch(const EpochReport& report) {
  for (const std::string& warning : new_warnings(report)) log_warning(warning);
}

}  // namespace mnist
