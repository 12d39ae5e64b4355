// The training loop: epochs of shuffled minibatches, and what is measured on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/report/observer.hpp"

namespace mnist {

/// Judges parameters on held-out examples.
using Validate = std::function<Score(const StateDict&)>;

/// What training leaves behind.
struct TrainingResult {
  EpochReport last;
  std::int64_t kept_epoch = 0;  ///< whose parameters these are: the best when stopping early is on
  StateDict parameters;
};

/// Trains an engine for the epochs that the options ask for.
class Trainer {
 public:
  /// `rows` are those of the engine's data set to train on. `engine` must outlive the trainer.
  Trainer(const TrainOptions& options, Engine& engine, std::vector<std::int64_t> rows);

  /// Judged at the end of each epoch.
  void set_validation(Validate validate) { validate_ = std::move(validate); }

  /// Told of each epoch; must outlive the trainer.
  void add_observer(RunObserver& observer) { observers_.push_back(&observer); }

  /// Runs all epochs, or stops early when `options.patience` epochs brought no better validation
  /// accuracy (of equal ones, the lower loss is better). Throws Error with the step, the learning
  /// rate and the gradient norms when a loss is not finite.
  TrainingResult run();

 private:
  EpochReport run_epoch(std::int64_t epoch);
  std::vector<double> learning_rates(std::int64_t count) const;
  void check_finite(const StepsResult& result, double learning_rate) const;

  const TrainOptions options_;
  Engine& engine_;
  std::vector<std::int64_t> rows_;
  Validate validate_;
  std::vector<RunObserver*> observers_;
  std::int64_t step_ = 0;
  NamedNorms last_gradient_norms_;
};

/// `rows` in the order of one epoch: a pure function of the seed and the epoch.
std::vector<std::int64_t> shuffled(std::span<const std::int64_t> rows, std::uint64_t seed,
                                   std::int64_t epoch);

}  // namespace mnist
