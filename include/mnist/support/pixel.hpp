// The range of a pixel.
#pragma once

namespace mnist {

/// The value of a white pixel; networks take pixels divided by it.
inline constexpr double kMaxPixel = 255;

}  // namespace mnist
