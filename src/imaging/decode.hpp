// Decodes users' images: PNG, JPEG, BMP, PGM and PPM files of any size.
#pragma once

#include <string>

#include "imaging/gray_image.hpp"
#include "support/bytes.hpp"

namespace mnist {

/// Decodes an image; colors become luma. Throws Error that names `source` when the format is
/// unknown, or the image is damaged or has more than kMaxImagePixels pixels.
GrayImage decode_image(Bytes file, const std::string& source);

/// decode_image() of the file `path`.
GrayImage read_image(const std::string& path);

}  // namespace mnist
