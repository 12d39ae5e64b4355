// Fuzzes what mnist-predict does with an image: decoding, and bringing it to MNIST's form.
#include "fuzz/fuzzer.hpp"
#include "imaging/prepare.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) {
    const mnist::Picture picture = mnist::decode_picture(bytes, "fuzzed");
    // Larger ones take the same paths, only longer.
    if (picture.rows * picture.columns > 1'000'000) return;
    mnist::prepare(picture, mnist::Preparation::kDigit, 28, "fuzzed");
    mnist::prepare(picture, mnist::Preparation::kGarment, 28, "fuzzed");
  });
}
