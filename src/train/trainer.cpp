// The training loop: epochs of shuffled minibatches, and what is measured on the way.
#include "mnist/train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"
#include "mnist/support/machine.hpp"
#include "mnist/support/random.hpp"
#include "mnist/train/schedule.hpp"

namespace mnist {
namespace {

// Steps between two looks at the losses: often enough to stop a run that has gone wrong within a
// fraction of a second, seldom enough that looking costs nothing.
constexpr std::int64_t kStepsAtOnce = 200;

bool better(const Score& score, const Score& than) {
  return score.accuracy > than.accuracy ||
         (score.accuracy == than.accuracy && score.loss < than.loss);
}

std::string norms_text(const NamedNorms& norms) {
  std::string text;
  for (const auto& [name, norm] : norms) {
    text += fmt::format("{}{} {:.4g}", text.empty() ? "" : ", ", name, norm);
  }
  return text.empty() ? "none yet" : text;
}

}  // namespace

std::vector<std::int64_t> shuffled(std::span<const std::int64_t> rows, std::uint64_t seed,
                                   std::int64_t epoch) {
  const RandomStream stream(seed, RandomPurpose::kShuffle, static_cast<std::uint32_t>(epoch));
  std::vector<std::int64_t> order = stream.permutation(std::ssize(rows));
  for (std::int64_t& row : order) row = rows[static_cast<std::size_t>(row)];
  return order;
}

Trainer::Trainer(const TrainOptions& options, Engine& engine, std::vector<std::int64_t> rows)
    : options_(options), engine_(engine), rows_(std::move(rows)) {}

TrainingResult Trainer::run() {
  const bool may_stop = validate_ && options_.patience > 0;
  TrainingResult result;
  std::optional<Score> best;
  for (std::int64_t epoch = 1; epoch <= options_.epochs; ++epoch) {
    EpochReport& report = result.last = run_epoch(epoch);
    if (validate_) report.validation = validate_(engine_.parameters());
    for (RunObserver* observer : observers_) observer->on_epoch(report);
    if (!may_stop) continue;
    if (!best || better(*report.validation, *best)) {
      best = report.validation;
      result.kept_epoch = epoch;
      result.parameters = engine_.parameters();
    }
    if (epoch - result.kept_epoch >= options_.patience) break;
  }
  if (!may_stop) {
    result.kept_epoch = result.last.epoch;
    result.parameters = engine_.parameters();
  }
  return result;
}

std::vector<double> Trainer::learning_rates(std::int64_t count) const {
  const std::int64_t steps_of_epoch = (std::ssize(rows_) + options_.batch - 1) / options_.batch;
  std::vector<double> rates;
  for (std::int64_t i = 0; i < count; ++i) {
    rates.push_back(learning_rate(options_, step_ + i, steps_of_epoch));
  }
  return rates;
}

EpochReport Trainer::run_epoch(std::int64_t epoch) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::int64_t> order = shuffled(rows_, options_.seed, epoch);
  EpochReport report;
  double loss_sum = 0;
  std::int64_t correct = 0;
  std::span<const std::int64_t> rest(order);
  while (!rest.empty()) {
    const auto count =
        std::min<std::size_t>(rest.size(), static_cast<std::size_t>(kStepsAtOnce * options_.batch));
    Steps steps{rest.first(count), options_.batch, {}, epoch};
    const std::vector<double> rates = learning_rates(steps.count());
    steps.learning_rates = rates;
    const StepsResult result = engine_.train(steps);
    check_finite(result, rates.back());
    report.learning_rate = rates.back();
    step_ += steps.count();
    correct += result.correct;
    for (std::size_t i = 0; i < result.losses.size(); ++i) {
      const std::size_t done = i * static_cast<std::size_t>(options_.batch);
      const std::size_t examples = std::min(static_cast<std::size_t>(options_.batch), count - done);
      loss_sum += static_cast<double>(result.losses[i]) * static_cast<double>(examples);
    }
    if (rest.size() == order.size()) {
      report.first_batch_loss = static_cast<double>(result.losses.front());
    }
    report.last_batch_loss = static_cast<double>(result.losses.back());
    rest = rest.subspan(count);
    last_gradient_norms_ = engine_.gradient_norms();
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  const auto examples = static_cast<double>(rows_.size());
  report.epoch = epoch;
  report.step = step_;
  report.training = {loss_sum / examples, static_cast<double>(correct) / examples};
  report.gradient_norm = last_gradient_norms_;
  report.seconds = seconds.count();
  report.images_per_second = examples / seconds.count();
  report.peak_memory_bytes = peak_memory_bytes();
  return report;
}

void Trainer::check_finite(const StepsResult& result, double learning_rate) const {
  const auto bad = std::find_if(result.losses.begin(), result.losses.end(),
                                [](float loss) { return !std::isfinite(loss); });
  if (bad == result.losses.end()) return;
  throw Error(
      fmt::format("training diverged: the loss of step {} is {} at learning rate {}; gradient "
                  "norms at step {}: "
                  "{}; now: {}; no model was written, try a lower --lr",
                  step_ + (bad - result.losses.begin()) + 1, *bad, learning_rate, step_,
                  norms_text(last_gradient_norms_), norms_text(engine_.gradient_norms())));
}

}  // namespace mnist
