// Training callbacks: what a run reports, and the interface for receiving it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mnist/engine/engine.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"

namespace mnist {

/// A run before its first step.
struct RunInfo {
  TrainOptions options;
  MlpShape shape;
  std::int64_t training_examples = 0;
  std::int64_t validation_examples = 0;
  std::string engine;    ///< Engine::description()
  std::string device;    ///< of the engine: "cpu" or "cuda:N"
  int threads = 0;       ///< of the engine, on a CPU
  std::string libtorch;  ///< "LibTorch 2.13.0 without CUDA"
};

/// Mean cross-entropy and accuracy (0 to 1) over some examples.
struct Score {
  double loss = 0;
  double accuracy = 0;
};

/// A completed epoch. The training loss and accuracy are means over the epoch, in which each
/// minibatch is measured before its own step.
struct EpochReport {
  std::int64_t epoch = 0;    ///< from 1
  std::int64_t step = 0;     ///< optimization steps so far
  double learning_rate = 0;  ///< of the last step
  Score training;
  double first_batch_loss = 0;
  double last_batch_loss = 0;
  std::optional<Score> validation;
  NamedNorms gradient_norm;  ///< of the last minibatch
  double seconds = 0;        ///< of training, without validation
  double images_per_second = 0;
  int threads = 0;  ///< of the engine, on a CPU
  std::int64_t peak_memory_bytes = 0;
  Mlp mlp;  ///< at the end of the epoch; the averages with --ema
};

/// The progress within an epoch, reported about 40 times a second.
struct ProgressReport {
  std::int64_t epoch = 0;           ///< from 1
  std::int64_t examples = 0;        ///< trained so far in this epoch
  std::int64_t epoch_examples = 0;  ///< in a whole epoch
  double loss = 0;                  ///< mean over the examples so far
  double seconds = 0;               ///< spent on them
  double first_batch_loss = 0;      ///< of the epoch
};

/// The outcome of Trainer::run().
struct TrainingResult {
  bool stopped = false;         ///< by should_stop; the other members are then empty
  std::int64_t epochs = 0;      ///< trained
  std::int64_t kept_epoch = 0;  ///< the epoch of `mlp`: the best one with early stopping
  double last_batch_loss = 0;
  double seconds = 0;  ///< of training, including the time before interruptions
  Mlp mlp = {};
};

/// A completed run.
struct RunResult {
  TrainingResult training;
  std::optional<Evaluation> test;   ///< without --no-test
  std::optional<Score> validation;  ///< of the model, with --validation
  std::string model_path;
  StepProfile profile = {};  ///< with --profile
};

/// Receives the reports of a run, in the order start, (progress..., epoch)..., end.
class TrainingCallback {
 public:
  TrainingCallback() = default;
  virtual ~TrainingCallback() = default;
  TrainingCallback(const TrainingCallback&) = delete;
  TrainingCallback& operator=(const TrainingCallback&) = delete;

  virtual void on_start(const RunInfo&) {}
  virtual void on_progress(const ProgressReport&) {}
  virtual void on_epoch(const EpochReport&) {}
  virtual void on_end(const RunResult&) {}
};

}  // namespace mnist
