// Fuzzes the unpickler alone: in an archive, checksums stop most mutated pickles.
#include "fuzz/fuzzer.hpp"
#include "serialize/unpickler.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) { mnist::unpickle(bytes); });
}
