// Reading files, replacing them atomically, and locking them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mnist {

/// Owns a file descriptor, which is negative if opening it failed.
class FileDescriptor {
 public:
  explicit FileDescriptor(int value) : value_(value) {}
  ~FileDescriptor();
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  operator int() const { return value_; }  // NOLINT(google-explicit-constructor)

  /// Closes it now; on failure returns false and sets errno.
  bool close();

 private:
  int value_;
};

/// A regular file, open for reading. Its errors do not name the file: see with_source().
class InputFile {
 public:
  /// Throws Error if `path` cannot be opened or is not a regular file.
  explicit InputFile(const std::string& path);

  /// In bytes, when the file was opened.
  std::uint64_t size() const { return size_; }

  /// Fills `target` with the next bytes. Throws Error if the file ends too early.
  void read(std::span<std::uint8_t> target);

  /// Skips the next `count` bytes.
  void skip(std::uint64_t count);

  /// All bytes. Throws Error if there are more than `limit`.
  std::vector<std::uint8_t> read_all(std::uint64_t limit);

 private:
  FileDescriptor descriptor_;
  std::uint64_t size_ = 0;
};

/// InputFile::read_all() for the file `path`, which errors name.
std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t limit);

/// Replaces `path` with `content`; readers see the old file or the new one, never a mixture. Delays
/// stop signals meanwhile. Throws Error and leaves the old file unchanged, unless only the fsync of
/// the directory failed: then the file is replaced, but a power failure could undo it.
void write_file_atomically(const std::string& path, std::span<const std::uint8_t> content);
void write_file_atomically(const std::string& path, std::string_view content);

/// Appends `content` to the file `path`, creating it if needed, and syncs it to disk. A failure or
/// crash can leave a truncated tail. Throws Error that names the file.
void append_to_file(const std::string& path, std::string_view content);

/// Makes `copy`, in the same directory, a hard link to the file `path`, replacing any existing
/// `copy`. Does nothing if `path` does not exist or the file system has no hard links. Throws
/// Error.
void keep_file_as(const std::string& path, const std::string& copy);

/// Removes temporary files that killed processes left in `directory`. No other process may be
/// writing there.
void remove_temporary_files(const std::string& directory);

/// Throws if write_file_atomically(path) would fail: UsageError if `path` is a directory or its
/// directory is missing or not writable, Error for failures of the disk. Changes no existing file.
void check_file_can_be_written(const std::string& path);

/// An exclusive lock (flock(2)) on a file, which contains the PID of its owner. The kernel releases
/// the lock when the owner exits; the file stays.
class FileLock {
 public:
  /// Creates the file if it does not exist. Throws UsageError with the owner's PID if another
  /// process holds the lock, Error if the file cannot be opened or locked.
  explicit FileLock(const std::string& path);

 private:
  FileDescriptor descriptor_;
};

}  // namespace mnist
