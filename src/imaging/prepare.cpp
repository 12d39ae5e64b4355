// Brings a person's image to the form that the images of a data set have.
#include "imaging/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <utility>

#include "mnist/support/error.hpp"

// Its assertions hold only where the source covers the whole result; ours fills a part of it.
#define STBIR_ASSERT(condition)
#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb_image_resize.h>

namespace mnist {
namespace {

// Of the image's side, as in MNIST: digits fill a box of 20 in 28 pixels.
constexpr double kDigitBox = 20.0 / 28;

// What differs less from the background than these parts of the strongest ink is background, too.
constexpr float kLeastContrast = 0.05F;
constexpr float kMostContrast = 0.5F;
constexpr float kBorderAllowance = 1.5F;
constexpr double kBorderQuantile = 0.9;
// A connected part with less than this part of all ink is a speck of dust.
constexpr double kSpeck = 0.02;

/// How much ink each pixel has.
struct Ink {
  std::int64_t rows;
  std::int64_t columns;
  std::vector<float> values;

  float& at(std::int64_t row, std::int64_t column) {
    return values[static_cast<std::size_t>(row * columns + column)];
  }
  float at(std::int64_t row, std::int64_t column) const {
    return values[static_cast<std::size_t>(row * columns + column)];
  }
};

/// The part of an image that has ink: rows and columns from first to before last.
struct Box {
  std::int64_t top, bottom, left, right;
  std::int64_t height() const { return bottom - top; }
  std::int64_t width() const { return right - left; }
};

/// Lightness on paper: transparent parts become white behind a dark drawing, black behind a light
/// one.
std::vector<float> on_paper(const Picture& picture) {
  const double opaque = std::accumulate(picture.opacity.begin(), picture.opacity.end(), 0.0);
  double light = 0;
  for (std::size_t i = 0; i < picture.light.size(); ++i) {
    light += static_cast<double>(picture.light[i]) * picture.opacity[i];
  }
  const float paper = light < opaque * 128 ? 255 : 0;
  std::vector<float> values(picture.light.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float opacity = static_cast<float>(picture.opacity[i]) / 255;
    values[i] = static_cast<float>(picture.light[i]) * opacity + paper * (1 - opacity);
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

float quantile(std::vector<float> values, double part) {
  const auto place = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

/// Contrast to the background, of the side (darker or lighter) that has more of it.
Ink ink_of(const Picture& picture) {
  Ink ink{picture.rows, picture.columns, on_paper(picture)};
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
  const float floor = std::clamp(kBorderAllowance * quantile(border, kBorderQuantile),
                                 kLeastContrast * strongest, kMostContrast * strongest);
  for (float& value : ink.values) {
    if (value < floor) value = 0;
  }
  return ink;
}

/// Takes a connected part away from `rest`, neighbours at corners included; returns its pixels.
std::vector<std::int64_t> take_part(Ink& rest, std::int64_t start) {
  std::vector<std::int64_t> pixels{start};
  rest.values[static_cast<std::size_t>(start)] = 0;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::int64_t row = pixels[i] / rest.columns;
    const std::int64_t column = pixels[i] % rest.columns;
    for (std::int64_t y = std::max<std::int64_t>(row - 1, 0); y <= std::min(row + 1, rest.rows - 1);
         ++y) {
      for (std::int64_t x = std::max<std::int64_t>(column - 1, 0);
           x <= std::min(column + 1, rest.columns - 1); ++x) {
        if (rest.at(y, x) == 0) continue;
        rest.at(y, x) = 0;
        pixels.push_back(y * rest.columns + x);
      }
    }
  }
  return pixels;
}

void remove_specks(Ink& ink) {
  const double all = std::accumulate(ink.values.begin(), ink.values.end(), 0.0);
  Ink rest = ink;
  for (std::size_t start = 0; start < rest.values.size(); ++start) {
    if (rest.values[start] == 0) continue;
    const auto pixels = take_part(rest, static_cast<std::int64_t>(start));
    double sum = 0;
    for (const std::int64_t pixel : pixels) {
      sum += static_cast<double>(ink.values[static_cast<std::size_t>(pixel)]);
    }
    if (sum >= kSpeck * all) continue;
    for (const std::int64_t pixel : pixels) ink.values[static_cast<std::size_t>(pixel)] = 0;
  }
}

Box box_of(const Ink& ink) {
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

/// Where the centre of mass of what `box` holds is: row and column from the box's corner, in
/// pixels; the middle of the first pixel is 0.5.
std::pair<double, double> centre_of_mass(const Ink& ink, const Box& box) {
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

/// What `box` holds, times `scale`, with its corner at `top` and `left` of an image of `side`.
std::vector<float> place(const Ink& ink, const Box& box, std::int64_t side, double scale,
                         double top, double left) {
  std::vector<float> placed(static_cast<std::size_t>(side * side));
  const auto size = static_cast<int>(side);
  const int done = stbir_resize_subpixel(
      &ink.values[static_cast<std::size_t>(box.top * ink.columns + box.left)],
      static_cast<int>(box.width()), static_cast<int>(box.height()),
      static_cast<int>(ink.columns) * static_cast<int>(sizeof(float)), placed.data(), size, size, 0,
      STBIR_TYPE_FLOAT, 1, STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_ZERO, STBIR_EDGE_ZERO,
      STBIR_FILTER_TRIANGLE, STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr,
      static_cast<float>(scale), static_cast<float>(scale), static_cast<float>(-left),
      static_cast<float>(-top));
  if (done == 0) throw std::bad_alloc();
  return placed;
}

std::vector<std::uint8_t> as_it_is(const Picture& picture, std::int64_t side,
                                   const std::string& source) {
  if (picture.rows == side && picture.columns == side) return picture.light;
  throw Error(source + ": has " + std::to_string(picture.columns) + "x" +
              std::to_string(picture.rows) + " pixels, but --prepare none needs " +
              std::to_string(side) + "x" + std::to_string(side) + "; leave --prepare out");
}

}  // namespace

std::vector<std::uint8_t> prepare(const Picture& picture, Preparation preparation,
                                  std::int64_t side, const std::string& source) {
  if (preparation == Preparation::kNone) return as_it_is(picture, side, source);
  Ink ink = ink_of(picture);
  remove_specks(ink);
  const Box box = box_of(ink);
  if (box.height() <= 0) throw Error(source + ": nothing is drawn on it: it has but one colour");

  const bool digit = preparation == Preparation::kDigit;
  const auto whole = static_cast<double>(side);
  const double scale = std::round(digit ? kDigitBox * whole : whole) /
                       static_cast<double>(std::max(box.height(), box.width()));
  std::pair<double, double> centre{static_cast<double>(box.height()) / 2,
                                   static_cast<double>(box.width()) / 2};
  double target = whole / 2;  // the middle of the image
  if (digit) {
    centre = centre_of_mass(ink, box);
    target = whole / 2 + 0.5;  // the middle of pixel (14, 14) of 28
  }
  // By whole pixels, as the makers did: an image that has the form already stays as it is.
  const std::vector<float> placed =
      place(ink, box, side, scale, std::round(target - centre.first * scale),
            std::round(target - centre.second * scale));
  const float brightest = digit ? *std::max_element(placed.begin(), placed.end()) : 255.0F;
  std::vector<std::uint8_t> image(placed.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    const float value = std::clamp(placed[i] / brightest, 0.0F, 1.0F);
    image[i] = static_cast<std::uint8_t>(std::lround(255 * value));
  }
  return image;
}

}  // namespace mnist
