// Tells a person at the terminal how a run goes.
#pragma once

#include <chrono>

#include "mnist/train/callback.hpp"

namespace mnist {

/// The run's facts and one line an epoch on standard error, with a progress line below them on a
/// terminal; the result on standard output.
class ConsoleObserver : public RunObserver {
 public:
  void on_start(const RunFacts& facts) override;
  void on_progress(const ProgressReport& report) override;
  void on_epoch(const EpochReport& report) override;
  void on_end(const RunResult& result) override;

 private:
  std::int64_t epochs_ = 0;
  std::chrono::steady_clock::time_point shown_at_{};  ///< when the progress line was drawn
};

/// "epoch 3/15  42 %  loss 0.0812  240,120 images/s  0:02 left".
std::string progress_text(const ProgressReport& report, std::int64_t epochs);

/// The table of parameters that a run starts with, a line each and a total.
std::string parameter_table_text(const MlpShape& shape);

/// "98.02 % (95 % interval 97.73 to 98.28; 9,802 of 10,000)".
std::string accuracy_text(const Evaluation& evaluation);

/// Whether the accuracy is lower than `percent`; then says so on standard error.
bool below_requirement(const Evaluation& evaluation, double percent);

/// 235146 as "235,146".
std::string with_thousands(std::int64_t number);

}  // namespace mnist
