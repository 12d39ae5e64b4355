// Everything that a training run can be asked for: one struct, one table, one validation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mnist/augment/augment_options.hpp"
#include "mnist/engine/engine_kind.hpp"
#include "mnist/model/activation.hpp"
#include "mnist/support/log_options.hpp"
#include "mnist/train/schedule.hpp"

namespace mnist {

/// How often a checkpoint is written besides the end of each epoch; both 0: not at all.
struct CheckpointInterval {
  std::int64_t steps = 0;
  double seconds = 0;
};

/// Options of mnist-train. The defaults are the guide's: 784-256-128-10, Adam, 15 epochs of
/// minibatches of 32.
struct TrainOptions {
  static constexpr const char* kProgram = "mnist-train";
  static constexpr const char* kDescription =
      "Trains a multilayer perceptron on MNIST-shaped data.";

  std::string data = "data/mnist";
  std::int64_t limit = 0;
  double validation = 0;

  std::vector<std::int64_t> hidden{256, 128};
  Activation activation = Activation::kRelu;
  Initialisation init = Initialisation::kPytorch;

  std::int64_t epochs = 15;
  std::int64_t batch = 32;
  Order order = Order::kShuffled;
  double lr = 0.001;
  Schedule schedule = Schedule::kConstant;
  double warmup = 0;
  std::int64_t step_epochs = 5;
  double step_factor = 0.1;
  Optimizer optimizer = Optimizer::kAdam;
  double weight_decay = 0;
  double clip_norm = 0;
  double ema = 0;
  std::int64_t patience = 0;
  std::uint64_t seed = 0;

  double label_smoothing = 0;
  std::vector<double> dropout;
  double input_dropout = 0;
  AugmentOptions augment;

  std::string device = "auto";
  EngineKind engine = EngineKind::kAuto;
  std::int64_t threads = 0;

  std::string out = "model.pt";
  std::string run_dir;
  CheckpointInterval checkpoint_every;
  double require_accuracy = 0;
  LogOptions log;

  /// The checkpoint to go on from, or its folder. Not in the table: it says where a run begins, and
  /// is no part of what the run is.
  std::string resume;

  /// Probability of dropping an activation of hidden layer `layer`, from 0: `dropout` has one for
  /// each layer, or one for all, or none.
  double hidden_dropout(std::size_t layer) const;
};

/// Throws UsageError that names the flag, what was found and what is allowed. Looks at the options
/// alone: neither at files nor at devices.
void validate(const TrainOptions& options);

/// `validation` in examples, for a training set of `examples`. Throws UsageError when nothing would
/// be left to train on.
std::int64_t validation_examples(const TrainOptions& options, std::int64_t examples);

/// Throws UsageError unless `device` is auto, cpu, cuda or cuda:N.
void validate_device(const std::string& device);

/// Throws UsageError unless 0 <= threads <= 1024.
void validate_threads(std::int64_t threads);

/// Throws UsageError unless 0 <= percent <= 100.
void validate_required_accuracy(double percent);

}  // namespace mnist
