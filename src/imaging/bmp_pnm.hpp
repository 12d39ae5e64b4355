// Decodes the uncompressed image formats, BMP and PNM.
#pragma once

#include <string>

#include "imaging/gray_image.hpp"
#include "support/bytes.hpp"

namespace mnist {

/// Decodes binary PGM and PPM (P5 and P6; netpbm.sourceforge.net/doc). Throws Error that names
/// `source` when the file is damaged or the image too large.
GrayImage decode_pnm(Bytes file, const std::string& source);

/// Decodes an uncompressed Windows bitmap of 1, 4, 8, 24 or 32 bits per pixel; ignores its alpha.
/// Throws Error as decode_pnm() does.
GrayImage decode_bmp(Bytes file, const std::string& source);

}  // namespace mnist
