// POSIX calls, repeated after EINTR.
#include "support/files.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "mnist/support/error.hpp"
#include "support/bytes.hpp"
#include "support/stop_signal.hpp"

namespace mnist {
namespace {

// Temporary files are named TARGET.tmp-XXXXXX, where mkostemp replaces the X.
constexpr std::string_view kInfix = ".tmp-";
constexpr std::string_view kTemplate = ".tmp-XXXXXX";

constexpr const char* kCreatingTemporary = "creating a temporary file next to it";

/// Repeats `call` while it returns a negative number with errno EINTR; returns its last result.
template <class Call>
auto retried(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

int open_file(const std::string& path, int flags, mode_t mode = 0) {
  return retried([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
}

int sync(int descriptor) {
  return retried([&] { return ::fsync(descriptor); });
}

/// Writes all of `content`; on failure returns false and sets errno.
bool write_all(int descriptor, Bytes content) {
  while (!content.empty()) {
    const ssize_t count =
        retried([&] { return ::write(descriptor, content.data(), content.size()); });
    if (count < 0) return false;
    content = content.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

std::string directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

/// Throws an error with errno unless `done`.
template <class Exception = Error>
void require(bool done, const std::string& path, const char* action) {
  if (done) return;
  throw Exception(path + ": cannot be written: " + action + " failed: " + std::strerror(errno) +
                  "; any existing file is unchanged");
}

/// A temporary name next to a target. The destructor removes its file, if there still is one.
struct TemporaryPath {
  explicit TemporaryPath(const std::string& target) : path(target + std::string(kTemplate)) {}
  ~TemporaryPath() { ::unlink(path.c_str()); }
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

  /// Creates a file with a unique name; returns its descriptor, or -1 with errno.
  int create() {
    const std::string name = path;
    return retried([&] {
      path = name;
      return ::mkostemp(path.data(), O_CLOEXEC);
    });
  }

  std::string path;
};

void sync_directory(const std::string& path) {
  const FileDescriptor directory(open_file(directory_of(path), O_RDONLY | O_DIRECTORY));
  // A directory with write but no read permission cannot be opened, and some file systems do not
  // sync directories.
  if (directory < 0 ? errno == EACCES : sync(directory) == 0 || errno == EINVAL) return;
  throw Error(path + ": was written, but its directory could not be synced: " +
              std::strerror(errno) + "; a power failure may undo it");
}

/// Whether an errno means a wrong path rather than a failing disk.
bool is_path_error(int reason) {
  return reason == EACCES || reason == EPERM || reason == EROFS || reason == ENOENT ||
         reason == ENOTDIR || reason == ENAMETOOLONG || reason == EISDIR;
}

/// "process PID", as the owner wrote it.
std::string owner_of(int descriptor) {
  std::array<char, 20> pid{};
  const ssize_t size = ::pread(descriptor, pid.data(), pid.size(), 0);
  return size > 0 ? "process " + std::string(pid.data(), static_cast<std::size_t>(size))
                  : "another process";
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  close();
}

bool FileDescriptor::close() {
  const int closing = std::exchange(value_, -1);
  return closing < 0 || ::close(closing) == 0 || errno == EINTR;
}

InputFile::InputFile(const std::string& path) : descriptor_(open_file(path, O_RDONLY)) {
  if (descriptor_ < 0) throw Error(std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    throw Error(S_ISDIR(status.st_mode) ? "is a directory, expected a file"
                                        : "is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void InputFile::read(std::span<std::uint8_t> target) {
  while (!target.empty()) {
    const ssize_t count =
        retried([&] { return ::read(descriptor_, target.data(), target.size()); });
    if (count < 0) throw Error(std::string("cannot be read: ") + std::strerror(errno));
    if (count == 0) throw Error("was truncated while it was being read");
    target = target.subspan(static_cast<std::size_t>(count));
  }
}

void InputFile::skip(std::uint64_t count) {
  if (::lseek(descriptor_, static_cast<off_t>(count), SEEK_CUR) >= 0) return;
  throw Error(std::string("cannot be read: ") + std::strerror(errno));
}

std::vector<std::uint8_t> InputFile::read_all(std::uint64_t limit) {
  if (size_ > limit) {
    throw Error("has " + std::to_string(size_) + " bytes, expected at most " +
                std::to_string(limit));
  }
  std::vector<std::uint8_t> bytes(size_);
  read(bytes);
  return bytes;
}

std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t limit) {
  return with_source(path, [&] { return InputFile(path).read_all(limit); });
}

void write_file_atomically(const std::string& path, std::span<const std::uint8_t> content) {
  const StopDelay delay;
  // mkostemp creates files that only the owner can read; output files follow the umask.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  TemporaryPath temporary(path);
  FileDescriptor file(temporary.create());
  require(file >= 0, path, kCreatingTemporary);
  require(write_all(file, content), path, "writing");
  require(::fchmod(file, 0666 & ~mask) == 0, path, "setting its mode");
  require(sync(file) == 0, path, "fsync");
  require(file.close(), path, "closing");
  require(::rename(temporary.path.c_str(), path.c_str()) == 0, path, "renaming");
  sync_directory(path);
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(path, bytes_of(content));
}

void check_file_can_be_written(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw UsageError(path + ": is a directory, expected the name of a file to write");
  }
  const std::string directory = directory_of(path);
  if (!std::filesystem::is_directory(directory, ignored)) {
    throw UsageError(path + ": cannot be written: there is no directory " + directory +
                     "; create it first");
  }
  const StopDelay delay;
  TemporaryPath temporary(path);
  const FileDescriptor file(temporary.create());
  require<UsageError>(file >= 0 || !is_path_error(errno), path, kCreatingTemporary);
  require(file >= 0, path, kCreatingTemporary);
}

void append_to_file(const std::string& path, std::string_view content) {
  const FileDescriptor file(open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0666));
  const bool written = file >= 0 && write_all(file, bytes_of(content));
  if (written && (sync(file) == 0 || errno == EINVAL)) return;  // some file systems cannot sync
  throw Error(path + ": cannot be written: " + std::strerror(errno));
}

void keep_file_as(const std::string& path, const std::string& copy) {
  const StopDelay delay;
  const TemporaryPath temporary(copy);
  ::unlink(temporary.path.c_str());
  if (::link(path.c_str(), temporary.path.c_str()) != 0) {
    if (errno == ENOENT || errno == EPERM || errno == ENOTSUP || errno == EMLINK) return;
    require(false, copy, "creating a hard link");
  }
  // rename does nothing if both are links to the same file.
  require(::rename(temporary.path.c_str(), copy.c_str()) == 0, copy, "renaming");
}

void remove_temporary_files(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= kTemplate.size()) continue;
    if (name.substr(name.size() - kTemplate.size()).starts_with(kInfix)) {
      std::filesystem::remove(entry.path(), ignored);
    }
  }
}

FileLock::FileLock(const std::string& path) : descriptor_(open_file(path, O_RDWR | O_CREAT, 0644)) {
  if (descriptor_ < 0) throw Error(path + ": cannot be opened: " + std::strerror(errno));
  if (retried([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) throw Error(path + ": cannot be locked: " + std::strerror(errno));
    throw UsageError(path + ": is locked by " + owner_of(descriptor_) +
                     "; wait until it exits, or use another directory");
  }
  // The PID is only for messages: failing to write it is no error.
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0) return;
  (void)!::pwrite(descriptor_, pid.data(), pid.size(), 0);
}

}  // namespace mnist
