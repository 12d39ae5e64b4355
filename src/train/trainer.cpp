// Divides epochs into chunks of minibatches.
#include "mnist/train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"
#include "mnist/train/schedule.hpp"
#include "support/machine.hpp"
#include "support/random.hpp"

namespace mnist {
namespace {

// A chunk is what the engine trains between two checks of the losses and of should_stop: long
// enough that checking costs nothing, short enough that stopping feels immediate.
constexpr double kChunkSeconds = 0.025;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool better(const Score& score, const Score& than) {
  return score.accuracy > than.accuracy ||
         (score.accuracy == than.accuracy && score.loss < than.loss);
}

std::string norms_text(const NamedNorms& norms) {
  std::string text;
  for (const auto& [name, norm] : norms) {
    text += fmt::format("{}{} {:.4g}", text.empty() ? "" : ", ", name, norm);
  }
  return text;
}

}  // namespace

bool is_over(const TrainOptions& options, const Progress& progress) {
  const std::int64_t done = progress.epoch - 1;
  const bool out_of_patience =
      options.patience > 0 && progress.best && done - progress.best->epoch >= options.patience;
  return done >= options.epochs || out_of_patience;
}

std::vector<std::int64_t> shuffled(std::span<const std::int64_t> indices, std::uint64_t seed,
                                   std::int64_t epoch) {
  const RandomStream stream(seed, RandomPurpose::kShuffle, static_cast<std::uint32_t>(epoch));
  std::vector<std::int64_t> order = stream.permutation(std::ssize(indices));
  for (std::int64_t& index : order) index = indices[static_cast<std::size_t>(index)];
  return order;
}

Trainer::Trainer(const TrainOptions& options, Engine& engine, std::vector<std::int64_t> indices)
    : options_(options), engine_(engine), indices_(std::move(indices)) {}

void Trainer::resume(Progress progress) {
  progress_ = std::move(progress);
  saved_step_ = progress_.step;
}

TrainingResult Trainer::run() {
  while (!is_over(options_, progress_)) {
    if (!finish_epoch()) {
      save();
      return {.stopped = true};
    }
    report_epoch();
    start_next_epoch();
    save();
  }
  const std::int64_t epochs = progress_.epoch - 1;
  const bool keeps_best = stops_early() && progress_.best;
  return {.epochs = epochs,
          .kept_epoch = keeps_best ? progress_.best->epoch : epochs,
          .last_batch_loss = progress_.last_batch_loss,
          .seconds = progress_.run_seconds,
          .mlp = keeps_best ? progress_.best->mlp : engine_.parameters()};
}

/// Trains the rest of the epoch; false when it was stopped before its end.
bool Trainer::finish_epoch() {
  const auto start = Clock::now();
  const std::vector<std::int64_t> order = options_.order == Order::kFixed
                                              ? indices_
                                              : shuffled(indices_, options_.seed, progress_.epoch);
  progress_.seconds += seconds_since(start);
  const std::int64_t done = std::min(progress_.minibatches * options_.batch, std::ssize(order));
  auto rest = std::span<const std::int64_t>(order).subspan(static_cast<std::size_t>(done));
  while (!rest.empty()) {
    if (should_stop_ && should_stop_()) return false;
    const auto count =
        std::min(rest.size(), static_cast<std::size_t>(next_chunk() * options_.batch));
    train_chunk(rest.first(count));
    rest = rest.subspan(count);
    if (!rest.empty() && save_is_due()) save();
  }
  return true;
}

/// Steps of the next chunk.
std::int64_t Trainer::next_chunk() const {
  // Each process has timed its own steps.
  const std::int64_t steps = all_reduce_max_ ? all_reduce_max_(chunk_steps_) : chunk_steps_;
  if (options_.checkpoint_every.steps == 0) return steps;
  return std::min(steps, saved_step_ + options_.checkpoint_every.steps - progress_.step);
}

void Trainer::train_chunk(std::span<const std::int64_t> indices) {
  const auto start = Clock::now();
  Steps steps{
      indices, options_.batch, {}, progress_.epoch, augment_strength(options_, progress_.epoch)};
  const std::vector<double> rates = learning_rates(steps.count());
  steps.learning_rates = rates;
  const StepsResult result = engine_.train(steps);
  check_finite(result, rates.back());

  if (progress_.minibatches == 0) {
    progress_.first_batch_loss = static_cast<double>(result.losses.front());
  }
  std::int64_t left = std::ssize(indices);
  for (const float loss : result.losses) {
    const std::int64_t examples = std::min(options_.batch, left);
    progress_.loss_sum += static_cast<double>(loss) * static_cast<double>(examples);
    left -= examples;
  }
  progress_.last_batch_loss = static_cast<double>(result.losses.back());
  progress_.correct += result.correct;
  progress_.learning_rate = rates.back();
  progress_.minibatches += steps.count();
  progress_.step += steps.count();
  const double seconds = seconds_since(start);
  progress_.seconds += seconds;
  const double fitting_steps = kChunkSeconds / seconds * static_cast<double>(steps.count());
  chunk_steps_ = static_cast<std::int64_t>(std::clamp<double>(fitting_steps, 1, kMaxChunkSteps));
  report_progress();
}

void Trainer::report_progress() const {
  ProgressReport report;
  report.epoch = progress_.epoch;
  report.epoch_examples = std::ssize(indices_);
  report.examples = std::min(progress_.minibatches * options_.batch, report.epoch_examples);
  report.loss = progress_.loss_sum / static_cast<double>(report.examples);
  report.seconds = progress_.seconds;
  report.first_batch_loss = progress_.first_batch_loss;
  for (TrainingCallback* callback : callbacks_) callback->on_progress(report);
}

void Trainer::report_epoch() {
  const auto examples = static_cast<double>(indices_.size());
  EpochReport report;
  report.epoch = progress_.epoch;
  report.step = progress_.step;
  report.learning_rate = progress_.learning_rate;
  report.training = {progress_.loss_sum / examples,
                     static_cast<double>(progress_.correct) / examples};
  report.first_batch_loss = progress_.first_batch_loss;
  report.last_batch_loss = progress_.last_batch_loss;
  report.gradient_norm = engine_.gradient_norms();
  report.threads = engine_.threads();
  report.seconds = progress_.seconds;
  report.images_per_second = examples / progress_.seconds;
  report.peak_memory_bytes = peak_memory_bytes();
  report.mlp = engine_.parameters();
  if (validate_) report.validation = validate_(report.mlp);
  for (TrainingCallback* callback : callbacks_) callback->on_epoch(report);
  if (!stops_early()) return;
  if (progress_.best && !better(*report.validation, progress_.best->validation)) return;
  progress_.best = BestEpoch{report.epoch, *report.validation, std::move(report.mlp)};
}

void Trainer::start_next_epoch() {
  ++progress_.epoch;
  progress_.minibatches = 0;
  progress_.loss_sum = 0;
  progress_.correct = 0;
  progress_.run_seconds += progress_.seconds;
  progress_.seconds = 0;
}

bool Trainer::save_is_due() const {
  const CheckpointInterval& every = options_.checkpoint_every;
  if (every.steps > 0) return progress_.step - saved_step_ >= every.steps;
  return every.seconds > 0 && seconds_since(saved_at_) >= every.seconds;
}

void Trainer::save() {
  if (save_) save_(progress_);
  saved_step_ = progress_.step;
  saved_at_ = Clock::now();
}

std::vector<double> Trainer::learning_rates(std::int64_t count) const {
  const std::int64_t steps_of_epoch = (std::ssize(indices_) + options_.batch - 1) / options_.batch;
  std::vector<double> rates;
  for (std::int64_t i = 0; i < count; ++i) {
    rates.push_back(learning_rate(options_, progress_.step + i, steps_of_epoch));
  }
  return rates;
}

void Trainer::check_finite(const StepsResult& result, double learning_rate) const {
  const auto bad = std::find_if(result.losses.begin(), result.losses.end(),
                                [](float loss) { return !std::isfinite(loss); });
  if (bad == result.losses.end()) return;
  throw Error(fmt::format(
      "training diverged: the loss of step {} is {} at learning rate {}; gradient norms: {}; no "
      "model was written; try a lower --lr, or --clip-norm",
      progress_.step + (bad - result.losses.begin()) + 1, *bad, learning_rate,
      norms_text(engine_.gradient_norms())));
}

}  // namespace mnist
