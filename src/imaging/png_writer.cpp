// Uses libpng's simplified API.
#include "imaging/png_writer.hpp"

#include <png.h>
#include <string>

#include "mnist/support/error.hpp"

namespace mnist {

std::vector<std::uint8_t> encode_png(const std::vector<std::uint8_t>& pixels, std::int64_t rows,
                                     std::int64_t columns, std::int64_t channels) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(columns);
  png.height = static_cast<png_uint_32>(rows);
  png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, pixels.data(), 0, nullptr) == 0) {
    throw Error(std::string("PNG encoding failed: ") + png.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace mnist
