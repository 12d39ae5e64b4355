// LD_PRELOAD library for fault injection: makes the n-th file operation below a directory fail, or
// sends the process a signal just before it.
//
// Environment: FAIL_UNDER, the directory; FAIL_AT, which operation, from 1; FAIL_ERRNO, its errno,
// or 0 for a short write; FAIL_SIGNAL, the signal to send instead of failing; FAIL_LOG, a file
// outside the directory that receives the name of the operation.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_below(const char* path) {
  const char* const directory = std::getenv("FAIL_UNDER");
  return directory != nullptr && std::strncmp(path, directory, std::strlen(directory)) == 0;
}

bool is_below(int descriptor) {
  char path[4096] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  return ::readlink(link.c_str(), path, sizeof(path) - 1) > 0 && is_below(path);
}

/// Counts an operation on a path or file descriptor; true if it is the one that must fail.
template <class File>
bool must_fail(const char* call, const File& file) {
  static int count = 0;
  if (!is_below(file)) return false;
  if (++count != std::atoi(std::getenv("FAIL_AT"))) return false;
  const int log = real<int(const char*, int, ...)>("open")(std::getenv("FAIL_LOG"),
                                                           O_WRONLY | O_CREAT | O_TRUNC, 0600);
  real<ssize_t(int, const void*, size_t)>("write")(log, call, std::strlen(call));
  real<int(int)>("close")(log);
  if (const char* const signal = std::getenv("FAIL_SIGNAL")) {
    ::kill(::getpid(), std::atoi(signal));
    return false;
  }
  errno = std::atoi(std::getenv("FAIL_ERRNO"));
  return true;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  if (must_fail("open", path)) return -1;
  return real<int(const char*, int, ...)>("open")(path, flags, 0644);
}

int open64(const char* path, int flags, ...) {
  if (must_fail("open", path)) return -1;
  return real<int(const char*, int, ...)>("open64")(path, flags, 0644);
}

int mkostemp(char* path, int flags) {
  if (must_fail("mkostemp", path)) return -1;
  return real<int(char*, int)>("mkostemp")(path, flags);
}

int mkostemp64(char* path, int flags) {
  if (must_fail("mkostemp", path)) return -1;
  return real<int(char*, int)>("mkostemp64")(path, flags);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  if (must_fail("write", descriptor)) {
    if (errno != 0) return -1;
    size = (size + 1) / 2;
  }
  return real<ssize_t(int, const void*, size_t)>("write")(descriptor, data, size);
}

int fsync(int descriptor) {
  return must_fail("fsync", descriptor) ? -1 : real<int(int)>("fsync")(descriptor);
}

int fchmod(int descriptor, mode_t mode) {
  return must_fail("fchmod", descriptor) ? -1 : real<int(int, mode_t)>("fchmod")(descriptor, mode);
}

int close(int descriptor) {
  const bool fails = must_fail("close", descriptor);
  const int reason = errno;
  const int result = real<int(int)>("close")(descriptor);
  if (!fails) return result;
  errno = reason;
  return -1;
}

int rename(const char* from, const char* to) {
  return must_fail("rename", to) ? -1 : real<int(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) {
  return must_fail("link", to) ? -1 : real<int(const char*, const char*)>("link")(from, to);
}

}  // extern "C"
