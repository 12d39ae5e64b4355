// Encodes PNG files.
#pragma once

#include <cstdint>
#include <vector>

namespace mnist {

/// The bytes of a PNG file that shows `pixels`, u8 [rows, columns, channels]: 1 channel is gray,
/// 3 are red, green and blue.
std::vector<std::uint8_t> encode_png(const std::vector<std::uint8_t>& pixels, std::int64_t rows,
                                     std::int64_t columns, std::int64_t channels);

}  // namespace mnist
