// FileLock on flock(2).
#include "support/file_lock.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "support/retry.hpp"

namespace mnist {
namespace {

/// "process PID", as the owner wrote it.
std::string owner_of(int descriptor) {
  std::array<char, 20> pid{};
  const ssize_t size = ::pread(descriptor, pid.data(), pid.size(), 0);
  return size > 0 ? "process " + std::string(pid.data(), static_cast<std::size_t>(size))
                  : "another process";
}

}  // namespace

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
