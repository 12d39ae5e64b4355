// A lock on a folder or file between processes, which ends with the process that holds it.
#pragma once

#include <string>

namespace mnist {

/// Holds an exclusive lock on the file `path`, which is made when it is not there and holds the
/// process number of the last owner. The kernel gives the lock back when its owner ends, however
/// that comes about (flock(2)).
class FileLock {
 public:
  /// Throws UsageError that names the owner when another process holds the lock, and Error when the
  /// file cannot be made.
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace mnist
