// The one way in which this program writes files: whole or not at all.
#include "support/atomic_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "support/retry.hpp"
#include "support/stop_signal.hpp"

namespace mnist {
namespace {

// Temporary files are called TARGET.tmp-XXXXXX.
constexpr const char* kTemporary = ".tmp-";
constexpr std::size_t kRandomLetters = 6;

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

constexpr const char* kMakingTemporary = "creating a temporary file beside it";

std::string failure_text(const std::string& path, const char* action, int reason) {
  return path + ": cannot be written: " + action + " failed: " + std::strerror(reason) +
         "; what was there before is untouched";
}

[[noreturn]] void fail(const std::string& path, const char* action) {
  throw Error(failure_text(path, action, errno));
}

/// Makes a new file beside `target` and says in `path` how it is called; below 0 when that failed.
int make_temporary(const std::string& target, std::string& path) {
  return retried([&] {
    path = target + kTemporary + "XXXXXX";
    return ::mkostemp(path.data(), O_CLOEXEC);
  });
}

int sync(int descriptor) {
  return retried([&] { return ::fsync(descriptor); });
}

/// A file under a temporary name in the target's folder. It is removed again with the object
/// unless it has been renamed to the target.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target) : target_(target) {
    descriptor_ = make_temporary(target, path_);
    if (descriptor_ < 0) fail(target_, kMakingTemporary);
  }

  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!renamed_) ::unlink(path_.c_str());
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::span<const std::uint8_t> content) {
    if (!write_all(descriptor_, content)) fail(target_, "writing");
  }

  void rename_to_target() {
    // mkostemp makes files that only the owner can read; a model is as public as umask allows.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(descriptor_, 0666 & ~mask) != 0) fail(target_, "setting its mode");
    if (sync(descriptor_) != 0) fail(target_, "fsync");
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0 && errno != EINTR) fail(target_, "closing");
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail(target_, "renaming");
    renamed_ = true;
  }

 private:
  std::string target_;
  std::string path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

void sync_folder(const std::string& path) {
  const int descriptor =
      retried([&] { return ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  // Folders that may be written to but not read cannot be opened for this; some file systems do not
  // sync folders at all.
  if (descriptor < 0 && errno == EACCES) return;
  const bool failed = descriptor < 0 || (sync(descriptor) != 0 && errno != EINVAL);
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!failed) return;
  throw Error(path + ": is written, but its folder could not be synced: " + std::strerror(reason) +
              "; a power cut may undo it");
}

/// Whether a failure is the user's: a folder that is not there or not theirs.
bool is_of_the_name(int reason) {
  return reason == EACCES || reason == EPERM || reason == EROFS || reason == ENOENT ||
         reason == ENOTDIR || reason == ENAMETOOLONG || reason == EISDIR;
}

}  // namespace

void write_file_atomically(const std::string& path, std::span<const std::uint8_t> content) {
  const StopDelay delay;
  TemporaryFile temporary(path);
  temporary.write(content);
  temporary.rename_to_target();
  sync_folder(path);
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(
      path, std::span(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
}

void check_file_can_be_written(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw UsageError(path + ": is a folder, expected the name of a file to write");
  }
  const std::string folder = folder_of(path);
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw UsageError(path + ": cannot be written, there is no folder " + folder +
                     "; make it first");
  }
  const StopDelay delay;
  std::string probe;
  const int descriptor = make_temporary(path, probe);
  const int reason = errno;
  if (descriptor < 0 && is_of_the_name(reason)) {
    throw UsageError(failure_text(path, kMakingTemporary, reason));
  }
  if (descriptor < 0) throw Error(failure_text(path, kMakingTemporary, reason));
  ::close(descriptor);
  ::unlink(probe.c_str());
}

void keep_file_as(const std::string& path, const std::string& copy) {
  const StopDelay delay;
  const std::string temporary = copy + kTemporary + "000000";
  ::unlink(temporary.c_str());
  if (::link(path.c_str(), temporary.c_str()) != 0) {
    if (errno == ENOENT || errno == EPERM || errno == ENOTSUP || errno == EMLINK) return;
    fail(copy, "making a second name");
  }
  if (::rename(temporary.c_str(), copy.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    fail(copy, "renaming");
  }
  ::unlink(temporary.c_str());  // is still there when both were names of the same file
}

void remove_temporary_files(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::size_t suffix = std::string(kTemporary).size() + kRandomLetters;
    if (name.size() > suffix && name.substr(name.size() - suffix).starts_with(kTemporary)) {
      std::filesystem::remove(entry.path(), ignored);
    }
  }
}

}  // namespace mnist
