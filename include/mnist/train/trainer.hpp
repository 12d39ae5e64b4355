// The training loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/train/callback.hpp"
#include "mnist/train/progress.hpp"

namespace mnist {

/// Evaluates a network on held-out examples.
using Validate = std::function<Score(const Mlp&)>;

/// Stores the progress of the run, with the state of its engine, so that the run can resume.
using SaveProgress = std::function<void(const Progress&)>;

/// Trains an engine for the epochs that the options ask for.
class Trainer {
 public:
  /// `indices` are the examples of the engine's dataset to train on. `engine` must outlive the
  /// trainer.
  Trainer(const TrainOptions& options, Engine& engine, std::vector<std::int64_t> indices);

  /// Evaluated at the end of each epoch.
  void set_validation(Validate validate) { validate_ = std::move(validate); }

  /// Called at the end of each epoch, after the callbacks; within epochs as often as
  /// `options.checkpoint_every` says; and when the run is stopped.
  void set_save(SaveProgress save) { save_ = std::move(save); }

  /// Polled between minibatches, about 40 times a second; returning true stops the run.
  void set_should_stop(std::function<bool()> should_stop) { should_stop_ = std::move(should_stop); }

  /// Where several processes train one network, `agree` returns the largest of their values; they
  /// must call it together. should_stop must return the same in all of them, too.
  void set_agree(std::function<std::int64_t(std::int64_t)> agree) { agree_ = std::move(agree); }

  /// Adds a callback, which must outlive the trainer.
  void add_callback(TrainingCallback& callback) { callbacks_.push_back(&callback); }

  /// Resumes from `progress`; the engine must be in the state that belongs to it.
  void resume(Progress progress);

  /// Trains until the last epoch, early stopping or should_stop. Throws Error with the step, the
  /// learning rate and the gradient norms when a loss is not finite.
  TrainingResult run();

 private:
  using Clock = std::chrono::steady_clock;

  bool stops_early() const { return validate_ && options_.patience > 0; }
  bool finish_epoch();
  std::int64_t next_chunk() const;
  void train_chunk(std::span<const std::int64_t> indices);
  void report_epoch();
  void report_progress() const;
  void start_next_epoch();
  bool save_is_due() const;
  void save();
  std::vector<double> learning_rates(std::int64_t count) const;
  void check_finite(const StepsResult& result, double learning_rate) const;

  const TrainOptions options_;
  Engine& engine_;
  std::vector<std::int64_t> indices_;
  Validate validate_;
  SaveProgress save_;
  std::function<bool()> should_stop_;
  std::function<std::int64_t(std::int64_t)> agree_;
  std::vector<TrainingCallback*> callbacks_;
  Progress progress_;
  double seconds_per_step_ = 0;  ///< in the last chunk
  std::int64_t saved_step_ = 0;
  Clock::time_point saved_at_ = Clock::now();
};

/// `indices` in the order of one epoch: a pure function of the seed and the epoch.
std::vector<std::int64_t> shuffled(std::span<const std::int64_t> indices, std::uint64_t seed,
                                   std::int64_t epoch);

}  // namespace mnist
