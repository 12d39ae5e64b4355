// LD_PRELOAD library for fault injection: logs the file operations below a directory, and makes the
// n-th one fail, or all of some kinds, or sends the process a signal just before one.
//
// Environment: FAIL_UNDER, the directory; CALL_LOG, a file outside of it that receives a line for
// each operation, "CALL<tab>PATH", with "<tab>OLD PATH" for renames and links; FAIL_AT, which
// operation fails, from 1; FAIL_EACH, instead, the calls that fail, separated by commas, but for
// the retry of one that has just failed; FAIL_ERRNO, the errno, or 0 for a short read or write;
// FAIL_SIGNAL, the signal to send instead of failing; FAIL_LOG, a file outside of the directory
// that receives the lines of the operations that failed.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <map>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::string path_of(const char* path) {
  return path;
}

std::string path_of(int descriptor) {
  char path[4096] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  return ::readlink(link.c_str(), path, sizeof(path) - 1) > 0 ? path : "";
}

/// Appends a line to the file that an environment variable names, if it is set.
void append_line(const char* variable, const std::string& line) {
  const char* const path = std::getenv(variable);
  if (path == nullptr) return;
  const int log =
      real<int(const char*, int, ...)>("open")(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  real<ssize_t(int, const void*, size_t)>("write")(log, line.data(), line.size());
  real<int(int)>("close")(log);
}

int operations = 0;                         // so far, of all kinds
std::map<std::string, std::string> failed;  // the line of each call's last operation, if it failed

/// Whether FAIL_AT or FAIL_EACH names this operation.
bool is_chosen(const std::string& call, const std::string& line) {
  if (const char* const number = std::getenv("FAIL_AT")) return ++operations == std::atoi(number);
  const char* const calls = std::getenv("FAIL_EACH");
  if (calls == nullptr ||
      (std::string(",") + calls + ',').find(',' + call + ',') == std::string::npos) {
    return false;
  }
  std::string& last = failed[call];
  const bool is_retry = last == line;
  last = is_retry ? "" : line;
  return !is_retry;
}

/// Logs an operation on a path or file descriptor; true if it must fail.
template <class File>
bool must_fail(const char* call, const File& file, const char* old_path = nullptr) {
  const char* const directory = std::getenv("FAIL_UNDER");
  if (directory == nullptr) return false;
  const int reason = errno;
  std::string line = path_of(file);
  const bool below = line.starts_with(directory);
  line = std::string(call) + '\t' + line;
  if (old_path != nullptr) line += std::string("\t") + old_path;
  line += '\n';
  if (below) append_line("CALL_LOG", line);
  errno = reason;
  if (!below || !is_chosen(call, line)) return false;
  append_line("FAIL_LOG", line);
  if (const char* const signal = std::getenv("FAIL_SIGNAL")) {
    ::kill(::getpid(), std::atoi(signal));
    return false;
  }
  errno = std::atoi(std::getenv("FAIL_ERRNO"));
  return true;
}

/// A call that transfers `size` bytes, which fails, or transfers half of them, when it must.
template <class Call>
ssize_t transfer(const char* name, int descriptor, size_t size, const Call& call) {
  if (!must_fail(name, descriptor)) return call(size);
  return errno != 0 ? -1 : call((size + 1) / 2);
}

int make_temporary(const char* name, char* path, int flags) {
  if (must_fail("mkostemp", path)) return -1;
  return real<int(char*, int)>(name)(path, flags);
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
  return make_temporary("mkostemp", path, flags);
}

int mkostemp64(char* path, int flags) {
  return make_temporary("mkostemp64", path, flags);
}

ssize_t read(int descriptor, void* data, size_t size) {
  return transfer("read", descriptor, size, [&](size_t count) {
    return real<ssize_t(int, void*, size_t)>("read")(descriptor, data, count);
  });
}

ssize_t write(int descriptor, const void* data, size_t size) {
  return transfer("write", descriptor, size, [&](size_t count) {
    return real<ssize_t(int, const void*, size_t)>("write")(descriptor, data, count);
  });
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  return transfer("pwrite", descriptor, size, [&](size_t count) {
    return real<ssize_t(int, const void*, size_t, off_t)>("pwrite")(descriptor, data, count,
                                                                    offset);
  });
}

int ftruncate(int descriptor, off_t size) {
  return must_fail("ftruncate", descriptor) ? -1
                                            : real<int(int, off_t)>("ftruncate")(descriptor, size);
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
  return must_fail("rename", to, from) ? -1
                                       : real<int(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) {
  return must_fail("link", to, from) ? -1 : real<int(const char*, const char*)>("link")(from, to);
}

int unlink(const char* path) {
  return must_fail("unlink", path) ? -1 : real<int(const char*)>("unlink")(path);
}

/// What std::filesystem::remove calls.
int remove(const char* path) {
  return must_fail("unlink", path) ? -1 : real<int(const char*)>("remove")(path);
}

}  // extern "C"
