// A lock between processes that the kernel releases when its owner exits.
#pragma once

#include <string>

namespace mnist {

/// An exclusive lock (flock(2)) on a file. The file holds the PID of its last owner and is never
/// removed; a crashed owner leaves no stale lock.
class FileLock {
 public:
  /// Creates the file if it does not exist. Throws UsageError with the owner's PID if another
  /// process holds the lock, Error if the file cannot be opened or locked.
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace mnist
