// Counts predictions, and computes metrics from the counts.
#include "mnist/evaluate/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "support/text.hpp"

namespace mnist {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Interval wilson_interval(std::int64_t correct, std::int64_t examples) {
  if (examples == 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution
  const auto n = static_cast<double>(examples);
  const double p = ratio(correct, examples);
  const double center = p + kZ * kZ / (2 * n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  const double scale = 1 + kZ * kZ / n;
  return {(center - half) / scale, (center + half) / scale};
}

std::int64_t Evaluation::examples() const {
  return std::accumulate(confusion.begin(), confusion.end(), std::int64_t{0});
}

std::int64_t Evaluation::correct() const {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < class_names.size(); ++k) sum += count(k, k);
  return sum;
}

double Evaluation::accuracy() const {
  return ratio(correct(), examples());
}

std::vector<ClassMetrics> Evaluation::classes() const {
  std::vector<ClassMetrics> metrics;
  for (std::size_t k = 0; k < class_names.size(); ++k) {
    std::int64_t predicted = 0;
    std::int64_t support = 0;
    for (std::size_t other = 0; other < class_names.size(); ++other) {
      predicted += count(other, k);
      support += count(k, other);
    }
    const std::int64_t true_positives = count(k, k);
    metrics.push_back({class_names[k], ratio(true_positives, predicted),
                       ratio(true_positives, support),
                       ratio(2 * true_positives, predicted + support), support});
  }
  return metrics;
}

std::vector<CalibrationBin> Evaluation::calibration() const {
  constexpr std::size_t kBins = 10;
  std::vector<CalibrationBin> bins(kBins);
  for (const Prediction& prediction : predictions) {
    const auto confidence = static_cast<double>(prediction.confidence);
    const auto index = static_cast<std::size_t>(std::max(0.0, confidence) * kBins);  // 0 for NaN
    CalibrationBin& bin = bins[std::min(index, kBins - 1)];
    ++bin.examples;
    bin.confidence += confidence;
    bin.accuracy += prediction.predicted == prediction.truth ? 1 : 0;
  }
  for (CalibrationBin& bin : bins) {
    if (bin.examples == 0) continue;
    bin.confidence /= static_cast<double>(bin.examples);
    bin.accuracy /= static_cast<double>(bin.examples);
  }
  return bins;
}

double Evaluation::calibration_error() const {
  double sum = 0;
  for (const CalibrationBin& bin : calibration()) {
    sum += static_cast<double>(bin.examples) * std::abs(bin.confidence - bin.accuracy);
  }
  return predictions.empty() ? 0 : sum / static_cast<double>(predictions.size());
}

std::vector<std::size_t> Evaluation::most_confident_mistakes(std::size_t count) const {
  std::vector<std::size_t> mistakes;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (predictions[i].predicted != predictions[i].truth) mistakes.push_back(i);
  }
  std::ranges::stable_sort(mistakes, std::greater{},
                           [this](std::size_t i) { return predictions[i].confidence; });
  mistakes.resize(std::min(mistakes.size(), count));
  return mistakes;
}

Evaluation make_evaluation(std::vector<std::string> class_names,
                           std::span<const std::uint8_t> labels, std::span<const float> logits) {
  const std::size_t classes = class_names.size();
  Evaluation evaluation{std::move(class_names), std::vector<std::int64_t>(classes * classes)};
  for (const std::uint8_t label : labels) {
    const auto row = logits.first(classes);
    logits = logits.subspan(classes);
    const auto highest = std::max_element(row.begin(), row.end());
    const auto predicted = static_cast<std::size_t>(highest - row.begin());
    double sum = 0;  // of exp(logit - highest), which cannot overflow
    for (const float logit : row) sum += std::exp(static_cast<double>(logit - *highest));
    evaluation.predictions.push_back({label, predicted, static_cast<float>(1 / sum)});
    evaluation.loss += std::log(sum) - static_cast<double>(row[label] - *highest);
    ++evaluation.confusion[label * classes + predicted];
  }
  evaluation.loss /= static_cast<double>(labels.size());
  return evaluation;
}

std::string accuracy_text(std::int64_t correct, std::int64_t examples) {
  const Interval interval = wilson_interval(correct, examples);
  return fmt::format("{:.2f} % (95 % interval {:.2f} to {:.2f}; {} of {})",
                     100 * ratio(correct, examples), 100 * interval.low, 100 * interval.high,
                     with_thousands(correct), with_thousands(examples));
}

std::string accuracy_text(const Evaluation& evaluation) {
  return accuracy_text(evaluation.correct(), evaluation.examples());
}

}  // namespace mnist
