// Fuzzes the reader of TOML configurations, and the validation of options.
#include "fuzz/fuzzer.hpp"
#include "options/toml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) {
    mnist::TrainOptions options;
    mnist::read_toml(std::string(bytes.begin(), bytes.end()), "fuzzed", options);
    mnist::validate(options);
    mnist::TrainOptions again;
    mnist::read_toml(mnist::to_toml(options), "written", again);
    if (mnist::to_toml(again) != mnist::to_toml(options)) __builtin_trap();
  });
}
