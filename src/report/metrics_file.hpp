// The files of a run folder that other programs read: config.toml and metrics.jsonl.
#pragma once

#include <string>

#include "mnist/train/callback.hpp"

namespace mnist {

/// Writes `folder`/config.toml at the start, and after each epoch `folder`/metrics.jsonl: one JSON
/// object a line, an epoch each. Both are whole at any moment.
class MetricsFile : public RunObserver {
 public:
  /// `folder` must be there. Of a metrics.jsonl that is there, the lines of epochs before
  /// `first_epoch` stay: those of the run that goes on.
  MetricsFile(std::string folder, std::int64_t first_epoch);

  void on_start(const RunFacts& facts) override;
  void on_epoch(const EpochReport& report) override;

 private:
  std::string folder_;
  std::string lines_;
};

/// The JSON object of one epoch, without a line break. Losses that are no numbers become null.
std::string epoch_json(const EpochReport& report);

}  // namespace mnist
