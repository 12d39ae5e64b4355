// What a training run tells the world, and who may listen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mnist/evaluate/evaluation.hpp"
#include "mnist/model/mlp_shape.hpp"
#include "mnist/options/train_options.hpp"

namespace mnist {

/// Known before the first step.
struct RunFacts {
  TrainOptions options;
  MlpShape shape;
  std::int64_t training_examples = 0;
  std::int64_t validation_examples = 0;
  std::string engine;    ///< "autograd on cpu, 2 threads"
  std::string libtorch;  ///< "LibTorch 2.13.0 without CUDA"
};

/// Mean loss and accuracy (0 to 1) over some examples.
struct Score {
  double loss = 0;
  double accuracy = 0;
};

/// Known at the end of an epoch. Training figures are means over the epoch, each minibatch judged
/// before its own step.
struct EpochReport {
  std::int64_t epoch = 0;    ///< from 1
  std::int64_t step = 0;     ///< optimisation steps so far
  double learning_rate = 0;  ///< of the last step
  Score training;
  double first_batch_loss = 0;
  double last_batch_loss = 0;
  std::optional<Score> validation;
  std::vector<std::pair<std::string, double>> gradient_norm;  ///< of the last minibatch
  double seconds = 0;                                         ///< training alone
  double images_per_second = 0;
  std::int64_t peak_memory_bytes = 0;
  StateDict parameters;  ///< at the end of the epoch; averages when those are kept
};

/// Known some 40 times a second while an epoch is trained.
struct ProgressReport {
  std::int64_t epoch = 0;           ///< from 1
  std::int64_t examples = 0;        ///< of the epoch that are done
  std::int64_t epoch_examples = 0;  ///< of a whole epoch
  double loss = 0;                  ///< mean over those that are done
  double seconds = 0;               ///< that they took
};

/// Known at the end.
struct RunResult {
  Evaluation test;
  std::int64_t epochs = 0;      ///< trained
  std::int64_t kept_epoch = 0;  ///< whose parameters went into the model
  double last_batch_loss = 0;
  std::string model_path;
};

/// Listens to a run. Does not change it.
class RunObserver {
 public:
  RunObserver() = default;
  virtual ~RunObserver() = default;
  RunObserver(const RunObserver&) = delete;
  RunObserver& operator=(const RunObserver&) = delete;

  virtual void on_start(const RunFacts&) {}
  virtual void on_progress(const ProgressReport&) {}
  virtual void on_epoch(const EpochReport&) {}
  virtual void on_end(const RunResult&) {}
};

}  // namespace mnist
