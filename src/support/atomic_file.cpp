// The one way in which this program writes files: whole or not at all.
#include "mnist/support/atomic_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

[[noreturn]] void fail(const std::string& path, const char* action) {
  throw Error(path + ": cannot be written: " + action + " failed: " + std::strerror(errno) +
              "; what was there before is untouched");
}

/// A file under a temporary name in the target's folder. It is removed again with the object
/// unless it has been renamed to the target.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target)
      : target_(target), path_(target + ".tmp-XXXXXX") {
    descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail(target_, "creating a temporary file beside it");
  }

  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!renamed_) ::unlink(path_.c_str());
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::span<const std::uint8_t> content) {
    while (!content.empty()) {
      const ssize_t count = ::write(descriptor_, content.data(), content.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(target_, "writing");
      content = content.subspan(static_cast<std::size_t>(count));
    }
  }

  void rename_to_target() {
    // mkostemp makes files that only the owner can read; a model is as public as umask allows.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(descriptor_, 0666 & ~mask) != 0) fail(target_, "setting its mode");
    if (::fsync(descriptor_) != 0) fail(target_, "fsync");
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
  const int descriptor = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // the file is whole and in place; only a power cut could undo it
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void write_file_atomically(const std::string& path, std::span<const std::uint8_t> content) {
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
  try {
    const TemporaryFile probe(path);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

}  // namespace mnist
