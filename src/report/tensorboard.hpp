// Logs a run for TensorBoard: curves, histograms, images, options.
#pragma once

#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/train/callback.hpp"
#include "report/event_file.hpp"

namespace mnist {

/// Writes an event file into a run directory. The x axis is the number of optimizer steps.
class TensorBoardCallback : public TrainingCallback {
 public:
  /// The images of the final mistakes come from `test`, which must outlive this object. A run that
  /// resumes after step `first_step` makes TensorBoard discard all later events of earlier files.
  TensorBoardCallback(const std::string& directory, const Dataset& test, std::int64_t first_step);

  void on_start(const RunInfo& info) override;
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
