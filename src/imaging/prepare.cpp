// Separates ink from background, then scales and centers it.
#include "imaging/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "imaging/image_file.hpp"
#include "mnist/support/error.hpp"

// stb asserts that the source covers the whole result; here it covers only a part.
#define STBIR_ASSERT(condition)
#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb_image_resize.h>

namespace mnist {
namespace {

// As a fraction of the image's side: MNIST's digits fill a box of 20 in 28 pixels.
constexpr double kDigitBox = 20.0 / 28;

// Pixels whose contrast is below a threshold are background. The threshold follows the noise of the
// border, within these fractions of the strongest contrast.
constexpr float kMinThreshold = 0.05F;
constexpr float kMaxThreshold = 0.5F;
constexpr float kNoiseFactor = 1.5F;
constexpr double kNoiseQuantile = 0.9;
// Connected components with less than this fraction of all ink are removed as dust.
constexpr double kMaxSpeck = 0.02;

/// How much ink each pixel has: its contrast to the background, or 0.
struct Ink {
  std::int64_t rows;
  std::int64_t columns;
  std::vector<float> values;

  float at(std::int64_t row, std::int64_t column) const {
    return values[static_cast<std::size_t>(row * columns + column)];
  }
};

/// Luma with transparency blended over white for a dark drawing, over black for a light one.
std::vector<float> blended_luma(const GrayImage& image) {
  double lightness = 0;
  for (std::size_t i = 0; i < image.luma.size(); ++i) {
    lightness += (image.luma[i] - 128.0) * image.alpha[i];
  }
  const float paper = lightness < 0 ? 255 : 0;
  std::vector<float> values(image.luma.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float alpha = static_cast<float>(image.alpha[i]) / 255;
    values[i] = static_cast<float>(image.luma[i]) * alpha + paper * (1 - alpha);
  }
  return values;
}

std::vector<float> border_of(const Ink& image) {
  std::vector<float> border;
  for (std::int64_t column = 0; column < image.columns; ++column) {
    border.push_back(image.at(0, column));
    border.push_back(image.at(image.rows - 1, column));
  }
  for (std::int64_t row = 1; row + 1 < image.rows; ++row) {
    border.push_back(image.at(row, 0));
    border.push_back(image.at(row, image.columns - 1));
  }
  return border;
}

float quantile(std::vector<float> values, double fraction) {
  const auto index = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return values[static_cast<std::size_t>(index)];
}

/// The border's median is the background. The ink is what is darker or what is lighter, whichever
/// has more contrast in total.
Ink extract_ink(const GrayImage& image) {
  Ink ink{image.rows, image.columns, blended_luma(image)};
  std::vector<float> border = border_of(ink);
  const float background = quantile(border, 0.5);
  double darker = 0;
  double lighter = 0;
  for (const float value : ink.values) {
    const double contrast = static_cast<double>(value) - static_cast<double>(background);
    (contrast < 0 ? darker : lighter) += contrast * contrast;
  }
  const float sign = darker > lighter ? -1 : 1;
  for (float& value : ink.values) value = sign * (value - background);

  const float strongest = *std::max_element(ink.values.begin(), ink.values.end());
  for (float& value : border) value = std::abs(value - background);
  const float threshold = std::clamp(kNoiseFactor * quantile(border, kNoiseQuantile),
                                     kMinThreshold * strongest, kMaxThreshold * strongest);
  for (float& value : ink.values) {
    if (value < threshold) value = 0;
  }
  return ink;
}

/// Removes the connected component of `start` (8 neighbors) from `rest`; returns its pixels.
std::vector<std::int64_t> take_component(Ink& rest, std::int64_t start) {
  std::vector<std::int64_t> pixels;
  const auto take = [&](std::int64_t pixel) {
    float& value = rest.values[static_cast<std::size_t>(pixel)];
    if (value != 0) pixels.push_back(pixel);
    value = 0;
  };
  take(start);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::int64_t row = pixels[i] / rest.columns;
    const std::int64_t column = pixels[i] % rest.columns;
    const std::int64_t right = std::min(column + 1, rest.columns - 1);
    const std::int64_t bottom = std::min(row + 1, rest.rows - 1);
    for (std::int64_t y = std::max<std::int64_t>(row - 1, 0); y <= bottom; ++y) {
      for (std::int64_t x = std::max<std::int64_t>(column - 1, 0); x <= right; ++x) {
        take(y * rest.columns + x);
      }
    }
  }
  return pixels;
}

void remove_specks(Ink& ink) {
  const double total = std::accumulate(ink.values.begin(), ink.values.end(), 0.0);
  Ink rest = ink;
  for (std::size_t start = 0; start < rest.values.size(); ++start) {
    if (rest.values[start] == 0) continue;
    const auto pixels = take_component(rest, static_cast<std::int64_t>(start));
    double sum = 0;
    for (const std::int64_t pixel : pixels) {
      sum += static_cast<double>(ink.values[static_cast<std::size_t>(pixel)]);
    }
    if (sum >= kMaxSpeck * total) continue;
    for (const std::int64_t pixel : pixels) ink.values[static_cast<std::size_t>(pixel)] = 0;
  }
}

/// The part of `ink` inside its bounding box; no pixels when there is no ink.
Ink cropped(const Ink& ink) {
  std::int64_t top = ink.rows;
  std::int64_t bottom = 0;
  std::int64_t left = ink.columns;
  std::int64_t right = 0;
  for (std::int64_t row = 0; row < ink.rows; ++row) {
    for (std::int64_t column = 0; column < ink.columns; ++column) {
      if (ink.at(row, column) == 0) continue;
      top = std::min(top, row);
      bottom = row + 1;
      left = std::min(left, column);
      right = std::max(right, column + 1);
    }
  }
  Ink crop{bottom - top, right - left, {}};
  for (std::int64_t row = top; row < bottom; ++row) {
    const auto begin = ink.values.begin() + row * ink.columns;
    crop.values.insert(crop.values.end(), begin + left, begin + right);
  }
  return crop;
}

/// Row and column of the center of mass, in pixels; the center of the first pixel is 0.5.
std::pair<double, double> center_of_mass(const Ink& ink) {
  double sum = 0;
  double y = 0;
  double x = 0;
  for (std::int64_t row = 0; row < ink.rows; ++row) {
    for (std::int64_t column = 0; column < ink.columns; ++column) {
      const auto value = static_cast<double>(ink.at(row, column));
      sum += value;
      y += value * (static_cast<double>(row) + 0.5);
      x += value * (static_cast<double>(column) + 0.5);
    }
  }
  return {y / sum, x / sum};
}

/// The ink, scaled, with its corner at (top, left) of a new image [side, side].
std::vector<float> resample(const Ink& ink, std::int64_t side, double scale, double top,
                            double left) {
  std::vector<float> result(static_cast<std::size_t>(side * side));
  const auto size = static_cast<int>(side);
  const int done = stbir_resize_subpixel(
      ink.values.data(), static_cast<int>(ink.columns), static_cast<int>(ink.rows), 0,
      result.data(), size, size, 0, STBIR_TYPE_FLOAT, 1, STBIR_ALPHA_CHANNEL_NONE, 0,
      STBIR_EDGE_ZERO, STBIR_EDGE_ZERO, STBIR_FILTER_TRIANGLE, STBIR_FILTER_TRIANGLE,
      STBIR_COLORSPACE_LINEAR, nullptr, static_cast<float>(scale), static_cast<float>(scale),
      static_cast<float>(-left), static_cast<float>(-top));
  if (done == 0) throw std::bad_alloc();
  return result;
}

}  // namespace

std::vector<std::uint8_t> prepare(const GrayImage& image, Preparation preparation,
                                  std::int64_t side, const std::string& source) {
  if (preparation == Preparation::kNone) {
    if (image.rows == side && image.columns == side) return image.luma;
    throw Error(fmt::format(
        "{}: has {}x{} pixels, but --prepare none needs {}x{}; omit --prepare to resize the image",
        source, image.columns, image.rows, side, side));
  }
  Ink ink = extract_ink(image);
  remove_specks(ink);
  ink = cropped(ink);
  if (ink.values.empty()) throw Error(source + ": is blank: nothing differs from the background");

  const bool digit = preparation == Preparation::kDigit;
  const auto full = static_cast<double>(side);
  const double scale = std::round(digit ? kDigitBox * full : full) /
                       static_cast<double>(std::max(ink.rows, ink.columns));
  // MNIST's digits have their center of mass at the center of pixel (14, 14) of 28.
  const double target = digit ? full / 2 + 0.5 : full / 2;
  const auto [y, x] =
      digit ? center_of_mass(ink)
            : std::pair(static_cast<double>(ink.rows) / 2, static_cast<double>(ink.columns) / 2);
  // Shifted by whole pixels, as MNIST was made: an image of MNIST itself stays unchanged.
  const std::vector<float> resampled =
      resample(ink, side, scale, std::round(target - y * scale), std::round(target - x * scale));
  const float brightest = digit ? *std::max_element(resampled.begin(), resampled.end()) : 255.0F;
  std::vector<std::uint8_t> prepared(resampled.size());
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    const float value = std::clamp(resampled[i] / brightest, 0.0F, 1.0F);
    prepared[i] = static_cast<std::uint8_t>(std::lround(255 * value));
  }
  return prepared;
}

}  // namespace mnist
