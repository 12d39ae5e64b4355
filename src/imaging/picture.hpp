// Images that people have: PNG, JPEG, BMP, PGM and PPM files of any size.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/byte_reader.hpp"

namespace mnist {

/// A decoded image: how light it is, and how opaque.
struct Picture {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::uint8_t> light;    ///< [rows, columns], 0 is black
  std::vector<std::uint8_t> opacity;  ///< [rows, columns], 0 is transparent
};

/// The most pixels of an image that is read. A file of a few kilobytes can claim any number.
inline constexpr std::int64_t kMostPicturePixels = 64'000'000;

/// Decodes an image; colours become their lightness. Throws Error that names `source` when the
/// bytes are no image of a kind that is read, are damaged, or have too many pixels.
Picture decode_picture(Bytes file, const std::string& source);

/// decode_picture of a file.
Picture read_picture(const std::string& path);

/// The bytes of a PNG file, of `values` u8 [rows, columns, channels]; 1 channel is grey, 3 are red,
/// green and blue.
std::vector<std::uint8_t> png_bytes(const std::vector<std::uint8_t>& values, std::int64_t rows,
                                    std::int64_t columns, std::int64_t channels);

}  // namespace mnist
