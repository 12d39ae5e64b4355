// Fuzzes the reader of safetensors files, and the resulting model.
#include "fuzz/fuzzer.hpp"
#include "serialize/formats.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size,
                     [](mnist::Bytes bytes) { mnist::make_model(mnist::read_safetensors(bytes)); });
}
