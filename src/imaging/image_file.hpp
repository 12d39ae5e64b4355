// Decodes users' images (PNG, JPEG, BMP, PGM and PPM of any size), and encodes PNG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/bytes.hpp"

namespace mnist {

/// A decoded image of any size.
struct GrayImage {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::uint8_t> luma;   ///< [rows, columns], 0 is black
  std::vector<std::uint8_t> alpha;  ///< [rows, columns], 0 is transparent
};

/// Decodes PNG, JPEG, uncompressed BMP (1, 4, 8, 24 or 32 bits per pixel; alpha ignored), and
/// binary PGM and PPM. Colors become luma (Rec. 601). Throws Error when the format is unknown, or
/// the image is damaged or has more than 64 million pixels.
GrayImage decode_image(Bytes file);

/// decode_image() of the file `path`, which errors name.
GrayImage read_image(const std::string& path);

/// A PNG file of `pixels`, u8 [rows, columns, channels]: 1 channel is gray, 3 are RGB.
std::vector<std::uint8_t> encode_png(const std::vector<std::uint8_t>& pixels, std::int64_t rows,
                                     std::int64_t columns, std::int64_t channels);

}  // namespace mnist
