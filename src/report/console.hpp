// Console output of a training run.
#pragma once

#include <chrono>

#include "mnist/train/callback.hpp"

namespace mnist {

/// Prints versions, parameters, options, the first loss and one line per epoch to standard error
/// and, on a terminal, a progress line below them.
class ConsoleCallback : public TrainingCallback {
 public:
  void on_start(const RunInfo& info) override;
  void on_progress(const ProgressReport& report) override;
  void on_epoch(const EpochReport& report) override;
  void on_end(const RunResult& result) override;

 private:
  std::int64_t epochs_ = 0;
  std::int64_t classes_ = 0;
  bool shows_first_loss_ = true;
  std::chrono::steady_clock::time_point last_progress_{};
};

/// "first minibatch: loss 2.3049 (ln 10 = 2.3026 when guessing)".
std::string first_loss_text(double loss, std::int64_t classes);

/// "epoch 3/15  42 %  loss 0.0812  240,120 images/s  0:02 left".
std::string progress_text(const ProgressReport& report, std::int64_t epochs);

/// A table of what --profile measured: one line for each phase, one column for each thread.
std::string profile_text(const StepProfile& profile);

/// The parameter table: one line per tensor, and a total.
std::string parameter_table_text(const MlpShape& shape);

}  // namespace mnist
