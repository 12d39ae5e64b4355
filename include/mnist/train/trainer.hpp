// The training loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/train/callback.hpp"

namespace mnist {

/// The best epoch so far, by validation.
struct BestEpoch {
  std::int64_t epoch = 0;
  Score validation;
  Mlp mlp;
};

/// The part of the training loop's state that does not follow from the options. Together with the
/// engine's state it is all that a run needs to resume with bitwise identical results.
struct Progress {
  std::int64_t epoch = 1;         ///< the current epoch, from 1
  std::int64_t minibatches = 0;   ///< done in it
  std::int64_t step = 0;          ///< optimization steps of the run
  double loss_sum = 0;            ///< over the epoch's examples so far
  std::int64_t correct = 0;       ///< among them
  double first_batch_loss = 0;    ///< of the epoch
  double last_batch_loss = 0;     ///< of the run
  double learning_rate = 0;       ///< of the last step
  double seconds = 0;             ///< spent on the epoch so far
  std::optional<BestEpoch> best;  ///< with early stopping
  double run_seconds = 0;         ///< spent on the epochs before
};

/// Whether the run is complete: all epochs are done, or the last `options.patience` of them did not
/// improve the validation accuracy (ties are broken by the loss).
bool is_over(const TrainOptions& options, const Progress& progress);

/// Evaluates a network on held-out examples.
using Validate = std::function<Score(const Mlp&)>;

/// Trains an engine for the epochs that the options ask for.
class Trainer {
 public:
  /// `indices` are the examples of the engine's dataset to train on. `engine` must outlive the
  /// trainer.
  Trainer(const TrainOptions& options, Engine& engine, std::vector<std::int64_t> indices);

  /// Evaluated at the end of each epoch.
  void set_validation(Validate validate) { validate_ = std::move(validate); }

  /// Stores the progress, and the state of the engine, so that the run can resume. Called at the
  /// end of each epoch, after the callbacks; within epochs as often as `options.checkpoint_every`
  /// says; and when the run is stopped.
  void set_save(std::function<void(const Progress&)> save) { save_ = std::move(save); }

  /// Polled between minibatches, about 40 times a second; returning true stops the run.
  void set_should_stop(std::function<bool()> should_stop) { should_stop_ = std::move(should_stop); }

  /// Where several processes train one network, `all_reduce_max` returns the largest of their
  /// values, and should_stop the same in all of them; both may be collective operations.
  void set_all_reduce_max(std::function<std::int64_t(std::int64_t)> all_reduce_max) {
    all_reduce_max_ = std::move(all_reduce_max);
  }

  /// Adds a callback, which must outlive the trainer.
  void add_callback(TrainingCallback& callback) { callbacks_.push_back(&callback); }

  /// Resumes from `progress`; the engine must be in the state that belongs to it.
  void resume(Progress progress);

  /// Trains until the last epoch, early stopping or should_stop. Throws Error with the step, the
  /// learning rate and the gradient norms when a loss is not finite.
  TrainingResult run();

 private:
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
  std::function<void(const Progress&)> save_;
  std::function<bool()> should_stop_;
  std::function<std::int64_t(std::int64_t)> all_reduce_max_;
  std::vector<TrainingCallback*> callbacks_;
  Progress progress_;
  std::int64_t chunk_steps_ = 16;  ///< few at first: the time of a step is not known yet
  std::int64_t saved_step_ = 0;
  std::chrono::steady_clock::time_point saved_at_ = std::chrono::steady_clock::now();
};

/// `indices` in the order of one epoch: a pure function of the seed and the epoch.
std::vector<std::int64_t> shuffled(std::span<const std::int64_t> indices, std::uint64_t seed,
                                   std::int64_t epoch);

}  // namespace mnist
