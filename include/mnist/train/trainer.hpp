// The training loop: epochs of shuffled minibatches, and what is measured on the way.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/train/callback.hpp"
#include "mnist/train/progress.hpp"

namespace mnist {

/// Judges parameters on held-out examples.
using Validate = std::function<Score(const StateDict&)>;

/// Keeps what is needed to go on from here.
using SaveProgress = std::function<void(const Progress&)>;

/// What training leaves behind.
struct TrainingResult {
  bool stopped = false;  ///< before its end; then the rest says nothing
  std::int64_t epochs = 0;
  std::int64_t kept_epoch = 0;  ///< whose parameters these are: the best when stopping early is on
  double last_batch_loss = 0;
  StateDict parameters;
};

/// Trains an engine for the epochs that the options ask for.
class Trainer {
 public:
  /// `rows` are those of the engine's data set to train on. `engine` must outlive the trainer.
  Trainer(const TrainOptions& options, Engine& engine, std::vector<std::int64_t> rows);

  /// Judged at the end of each epoch.
  void set_validation(Validate validate) { validate_ = std::move(validate); }

  /// Called at the end of each epoch, after the observers; within epochs as often as
  /// `options.checkpoint_every` says; and when the run is stopped.
  void set_save(SaveProgress save) { save_ = std::move(save); }

  /// Asked between minibatches, some 40 times a second: true stops the run.
  void set_should_stop(std::function<bool()> should_stop) { should_stop_ = std::move(should_stop); }

  /// Told of each epoch; must outlive the trainer.
  void add_observer(RunObserver& observer) { observers_.push_back(&observer); }

  /// Goes on from `progress`; the engine must be in the state that it had then.
  void resume(Progress progress);

  /// Trains until is_over() or stopped. Throws Error with the step, the learning rate and the
  /// gradient norms when a loss is not finite.
  TrainingResult run();

 private:
  using Clock = std::chrono::steady_clock;

  bool may_end_early() const { return validate_ && options_.patience > 0; }
  bool finish_epoch();
  std::int64_t next_stretch() const;
  void train_stretch(std::span<const std::int64_t> rows);
  void report_epoch();
  void report_progress() const;
  void keep_best(const EpochReport& report);
  void start_next_epoch();
  bool save_is_due() const;
  void save();
  std::vector<double> learning_rates(std::int64_t count) const;
  void check_finite(const StepsResult& result, double learning_rate) const;

  const TrainOptions options_;
  Engine& engine_;
  std::vector<std::int64_t> rows_;
  Validate validate_;
  SaveProgress save_;
  std::function<bool()> should_stop_;
  std::vector<RunObserver*> observers_;
  Progress progress_;
  NamedNorms last_gradient_norms_;
  double seconds_per_step_ = 0;  ///< in the last stretch
  std::int64_t saved_step_ = 0;
  Clock::time_point saved_at_ = Clock::now();
};

/// `rows` in the order of one epoch: a pure function of the seed and the epoch.
std::vector<std::int64_t> shuffled(std::span<const std::int64_t> rows, std::uint64_t seed,
                                   std::int64_t epoch);

}  // namespace mnist
