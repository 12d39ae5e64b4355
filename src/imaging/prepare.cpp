// Separates ink from background, then scales and centers it.
#include "imaging/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <utility>

#include "mnist/support/error.hpp"

// stb asserts that the source covers the whole result; ours covers a part of it.
#define STBIR_ASSERT(condition)
#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb_image_resize.h>

namespace mnist {
namespace {

// As a fraction of the image's side: MNIST's digits fill a box of 20 in 28 pixels.
constexpr double kDigitBox = 20.0 / 28;

// Pixels with less contrast than a threshold count as background. The threshold follows the noise
// of the border, within these fractions of the strongest contrast.
constexpr float kMinThreshold = 0.05F;
constexpr float kMaxThreshold = 0.5F;
constexpr float kNoiseFactor = 1.5F;
constexpr double kNoiseQuantile = 0.9;
// Connected components with less than this fraction of all ink are dust.
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

/// The bounding box of the ink; bottom and right are exclusive.
struct Box {
  std::int64_t top, bottom, left, right;
  std::int64_t height() const { return bottom - top; }
  std::int64_t width() const { return right - left; }
};

/// Luma after blending transparent parts with white behind a dark drawing, black behind a light
/// one.
std::vector<float> blended_luma(const GrayImage& image) {
  const double alpha_sum = std::accumulate(image.alpha.begin(), image.alpha.end(), 0.0);
  double luma_sum = 0;
  for (std::size_t i = 0; i < image.luma.size(); ++i) {
    luma_sum += static_cast<double>(image.luma[i]) * image.alpha[i];
  }
  const float paper = luma_sum < alpha_sum * 128 ? 255 : 0;
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

/// The border's median is the background. Whichever has more contrast to it is the ink: the darker
/// pixels or the lighter ones.
Ink extract_ink(const GrayImage& image) {
  Ink ink{image.rows, image.columns, blended_luma(image)};
  const float background = quantile(border_of(ink), 0.5);
  double darker = 0;
  double lighter = 0;
  for (const float value : ink.values) {
    const double contrast = static_cast<double>(value) - static_cast<double>(background);
    (contrast < 0 ? darker : lighter) += contrast * contrast;
  }
  const float sign = darker > lighter ? -1 : 1;
  for (float& value : ink.values) value = sign * (value - background);

  const float strongest = *std::max_element(ink.values.begin(), ink.values.end());
  std::vector<float> border = border_of(ink);
  for (float& value : border) value = std::abs(value);
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

Box bounding_box(const Ink& ink) {
  Box box{ink.rows, 0, ink.columns, 0};
  for (std::int64_t row = 0; row < ink.rows; ++row) {
    for (std::int64_t column = 0; column < ink.columns; ++column) {
      if (ink.at(row, column) == 0) continue;
      box = {std::min(box.top, row), std::max(box.bottom, row + 1), std::min(box.left, column),
             std::max(box.right, column + 1)};
    }
  }
  return box;
}

/// The center of mass of the ink in `box`: row and column in pixels from the box's corner; the
/// center of the first pixel is 0.5.
std::pair<double, double> center_of_mass(const Ink& ink, const Box& box) {
  double sum = 0;
  double y = 0;
  double x = 0;
  for (std::int64_t row = box.top; row < box.bottom; ++row) {
    for (std::int64_t column = box.left; column < box.right; ++column) {
      const auto value = static_cast<double>(ink.at(row, column));
      sum += value;
      y += value * (static_cast<double>(row - box.top) + 0.5);
      x += value * (static_cast<double>(column - box.left) + 0.5);
    }
  }
  return {y / sum, x / sum};
}

/// The ink in `box`, scaled, with the box's corner at (top, left) of a new image [side, side].
std::vector<float> resample(const Ink& ink, const Box& box, std::int64_t side, double scale,
                            double top, double left) {
  std::vector<float> result(static_cast<std::size_t>(side * side));
  const auto size = static_cast<int>(side);
  const int done = stbir_resize_subpixel(
      &ink.values[static_cast<std::size_t>(box.top * ink.columns + box.left)],
      static_cast<int>(box.width()), static_cast<int>(box.height()),
      static_cast<int>(ink.columns) * static_cast<int>(sizeof(float)), result.data(), size, size, 0,
      STBIR_TYPE_FLOAT, 1, STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_ZERO, STBIR_EDGE_ZERO,
      STBIR_FILTER_TRIANGLE, STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr,
      static_cast<float>(scale), static_cast<float>(scale), static_cast<float>(-left),
      static_cast<float>(-top));
  if (done == 0) throw std::bad_alloc();
  return result;
}

std::vector<std::uint8_t> unprepared(const GrayImage& image, std::int64_t side,
                                     const std::string& source) {
  if (image.rows == side && image.columns == side) return image.luma;
  throw Error(source + ": has " + std::to_string(image.columns) + "x" + std::to_string(image.rows) +
              " pixels, but --prepare none needs " + std::to_string(side) + "x" +
              std::to_string(side) + "; omit --prepare to resize the image");
}

}  // namespace

std::vector<std::uint8_t> prepare(const GrayImage& image, Preparation preparation,
                                  std::int64_t side, const std::string& source) {
  if (preparation == Preparation::kNone) return unprepared(image, side, source);
  Ink ink = extract_ink(image);
  remove_specks(ink);
  const Box box = bounding_box(ink);
  if (box.height() <= 0) throw Error(source + ": is blank: nothing differs from the background");

  const bool digit = preparation == Preparation::kDigit;
  const auto full = static_cast<double>(side);
  const double scale = std::round(digit ? kDigitBox * full : full) /
                       static_cast<double>(std::max(box.height(), box.width()));
  std::pair<double, double> center{static_cast<double>(box.height()) / 2,
                                   static_cast<double>(box.width()) / 2};
  double target = full / 2;  // the center of the image
  if (digit) {
    center = center_of_mass(ink, box);
    target = full / 2 + 0.5;  // the center of pixel (14, 14) of 28
  }
  // Shifted by whole pixels, as MNIST was made: an image of MNIST itself stays unchanged.
  const std::vector<float> resampled =
      resample(ink, box, side, scale, std::round(target - center.first * scale),
               std::round(target - center.second * scale));
  const float brightest = digit ? *std::max_element(resampled.begin(), resampled.end()) : 255.0F;
  std::vector<std::uint8_t> prepared(resampled.size());
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    const float value = std::clamp(resampled[i] / brightest, 0.0F, 1.0F);
    prepared[i] = static_cast<std::uint8_t>(std::lround(255 * value));
  }
  return prepared;
}

}  // namespace mnist
