// The files of files.hpp on POSIX calls.
#include "support/files.hpp"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "support/stop_signal.hpp"

namespace mnist {
namespace {

// Temporary files are named TARGET.tmp-XXXXXX, where mkostemp replaces the X.
constexpr std::string_view kInfix = ".tmp-";
constexpr std::string_view kTemplate = ".tmp-XXXXXX";

constexpr const char* kCreatingTemporary = "creating a temporary file beside it";

std::string directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

template <class Exception = Error>
[[noreturn]] void fail(const std::string& path, const char* action) {
  throw Exception(path + ": cannot be written: " + action + " failed: " + std::strerror(errno) +
                  "; any existing file is unchanged");
}

/// Creates a temporary file beside `target`, sets `path` to its name and returns its descriptor, or
/// -1 with errno.
int create_temporary(const std::string& target, std::string& path) {
  return retried([&] {
    path = target + std::string(kTemplate);
    return ::mkostemp(path.data(), O_CLOEXEC);
  });
}

int sync(int descriptor) {
  return retried([&] { return ::fsync(descriptor); });
}

[[noreturn]] void remove_and_fail(const std::string& temporary, const std::string& path,
                                  const char* action) {
  const int reason = errno;
  ::unlink(temporary.c_str());
  errno = reason;
  fail(path, action);
}

/// Completes a temporary file and closes it. Returns null, or the action that failed, with errno.
const char* write_and_close(int descriptor, std::span<const std::uint8_t> content) {
  // mkostemp creates files that only the owner can read; output files follow the umask.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  const char* failed = nullptr;
  if (!write_all(descriptor, content)) {
    failed = "writing";
  } else if (::fchmod(descriptor, 0666 & ~mask) != 0) {
    failed = "setting its mode";
  } else if (sync(descriptor) != 0) {
    failed = "fsync";
  }
  const int reason = errno;
  if (::close(descriptor) != 0 && errno != EINTR && failed == nullptr) return "closing";
  errno = reason;
  return failed;
}

void sync_directory(const std::string& path) {
  const int descriptor = retried(
      [&] { return ::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  // A directory with write but no read permission cannot be opened, and some file systems do not
  // sync directories.
  if (descriptor < 0 && errno == EACCES) return;
  const bool failed = descriptor < 0 || (sync(descriptor) != 0 && errno != EINVAL);
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!failed) return;
  throw Error(path + ": was written, but its directory could not be synced: " +
              std::strerror(reason) + "; a power failure may undo it");
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

bool write_all(int descriptor, std::span<const std::uint8_t> content) {
  while (!content.empty()) {
    const ssize_t count =
        retried([&] { return ::write(descriptor, content.data(), content.size()); });
    if (count < 0) return false;
    content = content.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

InputFile::InputFile(const std::string& path) : path_(path) {
  descriptor_ = retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (descriptor_ < 0) throw Error(path + ": cannot be opened: " + std::strerror(errno));
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    const bool directory = S_ISDIR(status.st_mode);
    ::close(descriptor_);
    throw Error(path +
                (directory ? ": is a directory, expected a file" : ": is not a regular file"));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

void InputFile::read(std::span<std::uint8_t> target) {
  while (!target.empty()) {
    const ssize_t count =
        retried([&] { return ::read(descriptor_, target.data(), target.size()); });
    if (count < 0) throw Error(path_ + ": cannot be read: " + std::strerror(errno));
    if (count == 0) throw Error(path_ + ": was truncated while it was being read");
    target = target.subspan(static_cast<std::size_t>(count));
  }
}

std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t limit) {
  InputFile file(path);
  if (file.size() > limit) {
    throw Error(path + ": has " + std::to_string(file.size()) + " bytes, expected at most " +
                std::to_string(limit));
  }
  std::vector<std::uint8_t> bytes(file.size());
  file.read(bytes);
  return bytes;
}

void write_file_atomically(const std::string& path, std::span<const std::uint8_t> content) {
  const StopDelay delay;
  std::string temporary;
  const int descriptor = create_temporary(path, temporary);
  if (descriptor < 0) fail(path, kCreatingTemporary);
  const char* const failed = write_and_close(descriptor, content);
  if (failed != nullptr) remove_and_fail(temporary, path, failed);
  if (::rename(temporary.c_str(), path.c_str()) != 0) remove_and_fail(temporary, path, "renaming");
  sync_directory(path);
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(
      path, std::span(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
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
  std::string probe;
  const int descriptor = create_temporary(path, probe);
  if (descriptor < 0) {
    if (is_path_error(errno)) fail<UsageError>(path, kCreatingTemporary);
    fail(path, kCreatingTemporary);
  }
  ::close(descriptor);
  ::unlink(probe.c_str());
}

void keep_file_as(const std::string& path, const std::string& copy) {
  const StopDelay delay;
  const std::string temporary = copy + std::string(kTemplate);
  ::unlink(temporary.c_str());
  if (::link(path.c_str(), temporary.c_str()) != 0) {
    if (errno == ENOENT || errno == EPERM || errno == ENOTSUP || errno == EMLINK) return;
    fail(copy, "creating a hard link");
  }
  if (::rename(temporary.c_str(), copy.c_str()) != 0) remove_and_fail(temporary, copy, "renaming");
  ::unlink(temporary.c_str());  // rename does nothing if both are links to the same file
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

FileLock::FileLock(const std::string& path) {
  descriptor_ = retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); });
  if (descriptor_ < 0) throw Error(path + ": cannot be opened: " + std::strerror(errno));
  const int locked = retried([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); });
  if (locked != 0) {
    const int reason = errno;
    const std::string owner = owner_of(descriptor_);
    ::close(descriptor_);
    if (reason != EWOULDBLOCK) throw Error(path + ": cannot be locked: " + std::strerror(reason));
    throw UsageError(path + ": is locked by " + owner +
                     "; wait until it exits, or use another directory");
  }
  // The PID is only for messages: failing to write it is no error.
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, pid.data(), pid.size(), 0) < 0) {
    return;
  }
}

FileLock::~FileLock() {
  ::close(descriptor_);
}

}  // namespace mnist
