// A lock on a folder or file between processes, which ends with the process that holds it.
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

/// What the owner wrote: its process number.
std::string owner_of(int descriptor) {
  std::array<char, 20> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  return size > 0 ? " (number " + std::string(text.data(), static_cast<std::size_t>(size)) + ")"
                  : "";
}

}  // namespace

FileLock::FileLock(const std::string& path) {
  constexpr mode_t kReadableByAll = 0644;
  descriptor_ =
      retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kReadableByAll); });
  if (descriptor_ < 0) throw Error(path + ": cannot be opened: " + std::strerror(errno));
  const int locked = retried([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); });
  if (locked != 0) {
    const int reason = errno;
    const std::string owner = owner_of(descriptor_);
    ::close(descriptor_);
    if (reason != EWOULDBLOCK) throw Error(path + ": cannot be locked: " + std::strerror(reason));
    throw UsageError(path + ": another process" + owner +
                     " is at work here; wait for its end, or take another folder");
  }
  // The number only helps people: it does not matter when it cannot be written.
  const std::string number = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, number.data(), number.size(), 0) < 0) {
    return;
  }
}

FileLock::~FileLock() {
  ::close(descriptor_);
}

}  // namespace mnist
