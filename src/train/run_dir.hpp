// The folder of a run: one process at a time, its newest checkpoint, and the one before.
#pragma once

#include <optional>
#include <string>

#include "support/file_lock.hpp"
#include "train/checkpoint.hpp"

namespace mnist {

/// Where a checkpoint lies: `resume` is a run folder, or a checkpoint file in it.
struct CheckpointPlace {
  explicit CheckpointPlace(const std::string& resume);
  std::string folder;
  std::string file;
};

/// Reads the checkpoint that `resume` names. Throws Error that says what is wrong with it and, when
/// the one before is whole, how to go on from that; UsageError when there is none.
Checkpoint load_checkpoint(const std::string& resume);

/// A run folder that this process owns as long as the object lives.
class RunFolder {
 public:
  /// Makes the folder when it is not there, locks it, and clears away what a killed process left
  /// half written. Throws UsageError when that cannot be done, or another process is at work there.
  explicit RunFolder(std::string path);

  /// Throws UsageError when the folder holds a run that has not come to its end: starting anew
  /// would lose it.
  void check_may_start() const;

  /// Replaces the checkpoint; the old one is kept beside it. Throws Error.
  void save(const Checkpoint& checkpoint) const;

  /// Forgets the checkpoints of a run that came before.
  void remove_checkpoints() const;

 private:
  std::string path_;
  std::optional<FileLock> lock_;
};

}  // namespace mnist
