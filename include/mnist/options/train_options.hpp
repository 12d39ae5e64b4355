// The options of a training run.
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

/// How often to write a checkpoint in addition to the one at each epoch's end; both 0: never.
struct CheckpointInterval {
  std::int64_t steps = 0;
  double seconds = 0;
};

/// Whether EngineKind::kFused can train networks with this activation.
constexpr bool fused_engines_support(Activation activation) {
  return activation == Activation::kRelu;
}

/// The options of mnist-train; `mnist-train --help` describes each. The defaults train a
/// 784-256-128-10 network with Adam for 15 epochs, in minibatches of 32.
struct TrainOptions {
  static constexpr const char* kProgram = "mnist-train";
  static constexpr const char* kDescription =
      "Trains a multilayer perceptron on MNIST-shaped data.";
  static constexpr const char* kExamples = R"(
  mnist-train                                          trains on data/mnist, writes model.pt
  mnist-train --recipe mnist-best --run-dir runs/best  a recipe, with checkpoints and metrics
  mnist-train --resume runs/best                       resumes that run after a stop or a kill
  mnist-train --validation 5000 --no-test --json       scores held-out examples, for scripts
)";

  std::string data = "data/mnist";
  std::int64_t limit = 0;
  double validation = 0;
  bool no_test = false;

  std::vector<std::int64_t> hidden{256, 128};
  Activation activation = Activation::kRelu;
  Initialization init = Initialization::kPytorch;

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
  std::vector<double> dropout = {};
  double input_dropout = 0;
  AugmentOptions augment = {};

  std::string device = "auto";
  EngineKind engine = EngineKind::kAuto;
  std::int64_t threads = 0;
  std::string cpu_target = "auto";

  std::string out = {};  ///< see model_path()
  std::string run_dir = {};
  CheckpointInterval checkpoint_every = {};
  double require_accuracy = 0;
  bool json = false;
  bool profile = false;
  LogOptions log = {};

  // Not in the option table, and not saved: they say where a run starts, not what it does.
  std::string resume = {};   ///< checkpoint file or run directory to resume from
  bool auto_resume = false;  ///< whether to resume the run in `run_dir`

  /// The model file to write: `out`; by default model.pt, in the run directory if there is one.
  std::string model_path() const;

  /// The probability of dropping a unit of `layer`: 0 for the inputs, n for hidden layer n.
  double dropout_of(std::size_t layer) const;
};

/// Throws UsageError that names the flag, the value found and the values allowed. Checks the
/// options alone: it opens no files and queries no devices.
void validate(const TrainOptions& options);

/// The size of the validation set for `examples` training examples. Throws UsageError when it would
/// leave no training examples, or when the fraction rounds to none.
std::int64_t validation_examples(const TrainOptions& options, std::int64_t examples);

}  // namespace mnist
