// A run as TensorBoard shows it: curves, histograms, pictures, options.
#pragma once

#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/train/callback.hpp"
#include "report/event_file.hpp"

namespace mnist {

/// Writes an event file into a run folder. The axis is the number of optimisation steps.
class TensorBoardObserver : public RunObserver {
 public:
  /// `test` is where the mistakes at the end are pictured from; it must outlive the observer. A run
  /// that goes on does so behind `first_step`: what an earlier process wrote from there on is void.
  TensorBoardObserver(const std::string& folder, const Dataset& test, std::int64_t first_step);

  void on_start(const RunFacts& facts) override;
  void on_epoch(const EpochReport& report) override;
  void on_end(const RunResult& result) override;

 private:
  void add_summary(std::int64_t step, const ProtobufMessage& summary);

  EventFile file_;
  const Dataset& test_;
  std::int64_t epochs_ = 0;
  std::int64_t last_step_ = 0;
};

}  // namespace mnist
