// Fuzzes what mnist-predict does with an image file: decoding and preparation.
#include "fuzz/fuzzer.hpp"
#include "imaging/image_file.hpp"
#include "imaging/prepare.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) {
    const mnist::GrayImage image = mnist::decode_image(bytes);
    // Larger images take the same paths, only longer.
    if (image.rows * image.columns > 1'000'000) return;
    mnist::prepare(image, mnist::Preparation::kDigit, 28, "fuzzed");
    mnist::prepare(image, mnist::Preparation::kGarment, 28, "fuzzed");
  });
}
