// Images without compression, BMP and PNM: read here, because the decoder that everyone takes for
// them (stb_image) reads out of bounds.
#pragma once

#include <string>

#include "imaging/picture.hpp"
#include "support/byte_reader.hpp"

namespace mnist {

/// Decodes PGM and PPM in binary form (P5 and P6; netpbm.sourceforge.net/doc). Throws Error.
Picture decode_pnm(Bytes file, const std::string& source);

/// Decodes a Windows bitmap of 1, 4, 8, 24 or 32 bits a pixel without compression. Throws Error.
Picture decode_bmp(Bytes file, const std::string& source);

/// Throws Error that names `source` when a picture of this size has no or too many pixels.
void check_picture_size(std::int64_t rows, std::int64_t columns, const std::string& source);

/// A white, opaque picture. Throws as check_picture_size does.
Picture blank_picture(std::int64_t rows, std::int64_t columns, const std::string& source);

/// Lightness from 0 to 255, by Rec. 601.
std::uint8_t lightness(std::uint32_t red, std::uint32_t green, std::uint32_t blue);

/// Throws Error that says that `source` is no image, and why.
[[noreturn]] void refuse_picture(const std::string& source, const std::string& reason);

}  // namespace mnist
