// Checks and conversions that are the same for every image format.
#include "imaging/gray_image.hpp"

#include "mnist/support/error.hpp"

namespace mnist {

void check_image_size(std::int64_t rows, std::int64_t columns, const std::string& source) {
  if (rows <= 0 || columns <= 0) fail_decoding(source, "it has no pixels");
  if (rows > kMaxImagePixels / columns) {
    throw Error(source + ": has " + std::to_string(columns) + "x" + std::to_string(rows) +
                " pixels; at most " + std::to_string(kMaxImagePixels) +
                " are supported; resize the image");
  }
}

GrayImage opaque_image(std::int64_t rows, std::int64_t columns) {
  const auto pixels = static_cast<std::size_t>(rows * columns);
  return {rows, columns, std::vector<std::uint8_t>(pixels), std::vector<std::uint8_t>(pixels, 255)};
}

std::uint8_t rec601_luma(std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
  return static_cast<std::uint8_t>((299 * red + 587 * green + 114 * blue + 500) / 1000);
}

void fail_decoding(const std::string& source, const std::string& reason) {
  throw Error(source + ": cannot be decoded: " + reason);
}

}  // namespace mnist
