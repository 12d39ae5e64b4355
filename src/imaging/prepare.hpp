// Makes a user's image look like the images of a dataset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mnist/support/enum_names.hpp"

namespace mnist {

struct GrayImage;

/// See prepare().
enum class Preparation { kDigit, kGarment, kNone };
template <>
inline constexpr Names<3> kEnumNames<Preparation>{"digit", "garment", "none"};

/// `image` as u8 [side, side], bright on black:
/// - digit: as MNIST was made (yann.lecun.com/exdb/mnist): the longer side of the ink is 20 of 28
///   pixels, its center of mass is at pixel (14, 14) of 28, the brightest pixel is 255.
/// - garment: as Fashion-MNIST was made (Xiao, Rasul, Vollgraf 2017, but without sharpening): the
///   longer side fills the image, centered; brightness is the contrast to the background.
/// - none: the luma, unchanged; the image must have side x side pixels.
///
/// The border determines the background, and so whether the image is dark on light or light on
/// dark. Transparent pixels, and those that differ from the background no more than the border
/// itself does, are background. Throws Error that names `source` when the image is blank.
std::vector<std::uint8_t> prepare(const GrayImage& image, Preparation preparation,
                                  std::int64_t side, const std::string& source);

}  // namespace mnist
