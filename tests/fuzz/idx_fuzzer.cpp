// Fuzzes the reader of IDX files, raw and gzip-compressed.
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzzer.hpp"
#include "mnist/data/idx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // read_idx takes the name of a file: this one is in memory.
  static const int file = ::memfd_create("fuzzed", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  const auto length = static_cast<ssize_t>(size);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != length) std::abort();
  return mnist::fuzz(data, size, [](mnist::Bytes) { mnist::read_idx(path); });
}
