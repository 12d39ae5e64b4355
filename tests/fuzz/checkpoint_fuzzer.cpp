// Fuzzes the reader of checkpoints.
#include "fuzz/fuzzer.hpp"
#include "train/checkpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) {
    mnist::read_checkpoint(bytes, "fuzzed", mnist::Checksum::kIgnore);
  });
}
