// Fuzzes the reader of IDX files with valid headers whose sizes are hostile, raw and compressed.
#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/choices.hpp"
#include "fuzz/fuzzer.hpp"
#include "gzip_support.hpp"
#include "mnist/data/idx.hpp"

namespace mnist {
namespace {

constexpr std::array<std::uint8_t, 7> kTypes{0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E, 0x0A};
constexpr std::array<std::size_t, 7> kSizes{1, 1, 2, 4, 4, 8, 1};

std::vector<std::uint8_t> idx_file(Choices& choices) {
  const std::size_t type = choices.below(kTypes.size());
  const std::size_t rank = choices.below(6);
  std::vector<std::uint8_t> file{
      0, 0, kTypes[type],
      static_cast<std::uint8_t>(choices.number_or(static_cast<std::int64_t>(rank)))};
  std::uint64_t payload = kSizes[type];
  for (std::size_t d = 0; d < rank; ++d) {
    const auto dimension = static_cast<std::uint32_t>(choices.number());
    for (int shift = 24; shift >= 0; shift -= 8)
      file.push_back(static_cast<std::uint8_t>(dimension >> shift));
    payload *= dimension;  // may wrap around, as the reader must not
  }
  constexpr std::uint64_t kMaxPayload = 1 << 16;
  file.resize(file.size() + std::min(payload, kMaxPayload) + choices.below(2));
  return choices.below(2) == 0 ? file : gzip(file);
}

void read(Bytes file) {
  // read_idx takes the name of a file: this one is in memory.
  static const int descriptor = ::memfd_create("fuzzed", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  const auto size = static_cast<ssize_t>(file.size());
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, file.data(), file.size(), 0) != size)
    std::abort();
  read_idx(path);
}

}  // namespace
}  // namespace mnist

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) {
    mnist::Choices choices(bytes);
    mnist::read(mnist::idx_file(choices));
  });
}
