// Brings a person's image to the form that the images of a data set have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imaging/picture.hpp"
#include "imaging/preparation.hpp"

namespace mnist {

/// `picture` as u8 [side, side], bright on black, as `preparation` says:
/// - digit: as MNIST's makers did (yann.lecun.com/exdb/mnist): its longer side becomes 20 of 28
///   pixels, and the centre of mass of what is drawn comes to pixel (14, 14) of 28; the brightest
///   pixel is 255.
/// - garment: as Fashion-MNIST's makers did (Xiao, Rasul, Vollgraf 2017, but for their sharpening):
///   the longer side fills the image, in its middle; brightness is the contrast to the background.
/// - none: only its lightness; it must have side x side pixels.
///
/// Dark on light and light on dark are told apart by the border, which is taken for background;
/// so is whatever differs from it no more than the border does in itself. Transparent parts are
/// background. Throws Error that names `source` when nothing is drawn.
std::vector<std::uint8_t> prepare(const Picture& picture, Preparation preparation,
                                  std::int64_t side, const std::string& source);

}  // namespace mnist
