// The files of a run directory that other programs read: config.toml and metrics.jsonl.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mnist/train/callback.hpp"

namespace mnist {

/// Writes config.toml when the run starts, and appends a line to metrics.jsonl after each epoch.
class MetricsFile : public TrainingCallback {
 public:
  /// `directory` must exist. Keeps the epochs before `first_epoch` in its metrics.jsonl, which
  /// belong to the resumed run, and removes all others. Throws Error.
  MetricsFile(std::string directory, std::int64_t first_epoch);

  void on_start(const RunInfo& info) override;
  void on_epoch(const EpochReport& report) override;

 private:
  std::string directory_;
};

/// The JSON object of one epoch, without a line break. Losses that are not finite become null.
std::string epoch_json(const EpochReport& report);

/// The epochs in `directory`/metrics.jsonl, up to the first invalid line: a process that was killed
/// can leave a truncated last line. Throws Error when the file is missing or too large.
std::vector<nlohmann::ordered_json> read_metrics(const std::string& directory);

}  // namespace mnist
