// A grayscale image in memory, and what its decoders share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mnist {

/// A decoded image of any size.
struct GrayImage {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::uint8_t> luma;   ///< [rows, columns], 0 is black
  std::vector<std::uint8_t> alpha;  ///< [rows, columns], 0 is transparent
};

/// Larger images are rejected: a file of a few kilobytes can claim any size.
inline constexpr std::int64_t kMaxImagePixels = 64'000'000;

/// Throws Error that names `source` unless the image has between 1 and kMaxImagePixels pixels.
void check_image_size(std::int64_t rows, std::int64_t columns, const std::string& source);

/// An opaque image, to be filled in by a decoder.
GrayImage opaque_image(std::int64_t rows, std::int64_t columns);

/// Luma, 0 to 255, by Rec. 601.
std::uint8_t rec601_luma(std::uint32_t red, std::uint32_t green, std::uint32_t blue);

/// Throws Error that names `source` and says why it cannot be decoded.
[[noreturn]] void fail_decoding(const std::string& source, const std::string& reason);

}  // namespace mnist
