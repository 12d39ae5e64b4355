// A run directory: locked by one process at a time; holds the newest checkpoint and the one before.
#pragma once

#include <optional>
#include <string>

#include "support/files.hpp"
#include "train/checkpoint.hpp"

namespace mnist {

/// The summary of the run in `directory`, which exists once the run is complete.
std::string summary_path(const std::string& directory);

/// The options of the run in `directory` that --auto-resume finds: those of its checkpoint, or of
/// its config.toml if the run is complete; nullopt if it has not started. Throws Error.
std::optional<TrainOptions> find_run(const std::string& directory);

/// Reads the checkpoint that --resume names: a run directory, or a checkpoint file in one. Sets
/// `run_dir` in its options to where that directory is now. Throws UsageError when the checkpoint
/// does not exist; Error that says what is wrong with it and, when the previous one is intact, how
/// to resume from that.
Checkpoint load_checkpoint(const std::string& resume);

/// Owns a run directory during its lifetime.
class RunDir {
 public:
  /// Creates the directory if necessary, locks it, and removes temporary files that a killed
  /// process left. Throws UsageError when that fails or another process has the lock.
  explicit RunDir(std::string path);

  /// Throws UsageError when the directory holds an unfinished run, which a new one would overwrite.
  void check_may_start() const;

  /// Replaces the checkpoint and keeps the old one as the previous one. Throws Error.
  void save(const Checkpoint& checkpoint) const;

  /// Deletes the summary and, unless the run `resumes`, all checkpoints. Throws Error.
  void clear(bool resumes) const;

 private:
  std::string path_;
  std::optional<FileLock> lock_;
};

}  // namespace mnist
