// Random distortion is a pure function of its inputs, has the requested strength, and keeps zeros.
#include "augment/augmenter.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "mnist_subset.hpp"

namespace mnist {
namespace {

constexpr std::int64_t kSide = 28;
using Image = std::vector<std::uint8_t>;

Image digit(std::int64_t row) {
  static const Dataset set = mnist_subset(Split::kTrain);
  const auto begin = set.images.begin() + row * set.pixels();
  return {begin, begin + set.pixels()};
}

Image distorted(const AugmentOptions& options, const Image& image, std::int64_t epoch = 1,
                std::int64_t row = 0, std::uint64_t seed = 0) {
  Augmenter augment(options, kSide, kSide, seed);
  Image result(image.size());
  augment(image.data(), epoch, row, result.data());
  return result;
}

/// A blank image with one bright spot of 3 by 3 pixels.
Image spot(std::int64_t y, std::int64_t x) {
  Image image(kSide * kSide);
  for (std::int64_t i = -1; i <= 1; ++i) {
    for (std::int64_t j = -1; j <= 1; ++j) {
      image[static_cast<std::size_t>((y + i) * kSide + x + j)] = 200;
    }
  }
  return image;
}

struct Center {
  double x = 0, y = 0;
};

Center center_of(const Image& image) {
  double mass = 0;
  Center center;
  for (std::size_t i = 0; i < image.size(); ++i) {
    mass += image[i];
    center.x += image[i] * static_cast<double>(i % kSide);
    center.y += image[i] * static_cast<double>(i / kSide);
  }
  return {center.x / mass, center.y / mass};
}

AugmentOptions everything() {
  return {.rotation = 10,
          .translation = 1,
          .scaling = 0.1,
          .shear = 5,
          .elastic = 1,
          .flip = 0.5,
          .erasing = 0.5};
}

TEST(Augmenter, IsAPureFunctionOfSeedEpochAndIndex) {
  const Image image = digit(0);
  const Image once = distorted(everything(), image, 3, 4, 5);
  EXPECT_EQ(distorted(everything(), image, 3, 4, 5), once);
  EXPECT_NE(distorted(everything(), image, 2, 4, 5), once);
  EXPECT_NE(distorted(everything(), image, 3, 3, 5), once);
  EXPECT_NE(distorted(everything(), image, 3, 4, 6), once);

  Augmenter used(everything(), kSide, kSide, 5);
  Image result(image.size());
  for (std::int64_t row = 0; row < 5; ++row) used(image.data(), 3, row, result.data());
  EXPECT_EQ(result, once) << "independent of earlier calls";
}

TEST(Augmenter, ZeroStrengthChangesNothing) {
  EXPECT_FALSE(AugmentOptions{}.any());
  EXPECT_EQ(distorted({}, digit(7)), digit(7));
}

TEST(Augmenter, BlankStaysBlank) {
  const Image blank(kSide * kSide);
  EXPECT_EQ(distorted(everything(), blank), blank);
}

/// The smallest, the largest and the mean value of some numbers.
struct Range {
  double low = 1e9, high = -1e9, sum = 0;
  int count = 0;

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
    ++count;
  }
  void expect(double expected_low, double expected_high, double tolerance) const {
    EXPECT_NEAR(low, expected_low, tolerance);
    EXPECT_NEAR(high, expected_high, tolerance);
    EXPECT_NEAR(sum / count, (expected_low + expected_high) / 2,
                0.1 * (expected_high - expected_low));
  }
};

TEST(Augmenter, TranslationFillsItsRangeAlongBothAxes) {
  Range x, y;
  double products = 0;
  for (std::int64_t row = 0; row < 500; ++row) {
    const Center center = center_of(distorted({.translation = 2}, spot(13, 13), 1, row));
    x.add(center.x - 13);
    y.add(center.y - 13);
    products += (center.x - 13) * (center.y - 13);
  }
  x.expect(-2, 2, 0.05);
  y.expect(-2, 2, 0.05);
  EXPECT_NEAR(products / 500, 0, 0.3) << "the axes are independent";
}

TEST(Augmenter, StrengthWeakensAllButFlips) {
  AugmentOptions options = everything();
  options.flip = 1;
  const Image image = digit(0);
  Image mirrored(image.size());
  for (std::int64_t row = 0; row < kSide; ++row) {
    std::reverse_copy(image.begin() + row * kSide, image.begin() + (row + 1) * kSide,
                      mirrored.begin() + row * kSide);
  }
  Augmenter augment(options, kSide, kSide, 0);
  Image result(image.size());
  augment(image.data(), 1, 0, result.data(), 0);
  EXPECT_EQ(result, mirrored);

  Augmenter shift({.translation = 4}, kSide, kSide, 0);
  Range x;
  for (std::int64_t row = 0; row < 500; ++row) {
    shift(spot(13, 13).data(), 1, row, result.data(), 0.5);
    x.add(center_of(result).x - 13);
  }
  x.expect(-2, 2, 0.05);
}

TEST(Augmenter, RotationTurnsAroundTheCenterEitherWay) {
  Range degrees;
  for (std::int64_t row = 0; row < 500; ++row) {
    const Center center = center_of(distorted({.rotation = 20}, spot(13, 23), 1, row));
    const double x = center.x - 13.5;
    const double y = center.y - 13.5;
    EXPECT_NEAR(std::hypot(x, y), std::hypot(9.5, 0.5), 0.1);
    degrees.add((std::atan2(y, x) - std::atan2(-0.5, 9.5)) * 180 / M_PI);
  }
  degrees.expect(-20, 20, 0.5);
}

TEST(Augmenter, ScalingFillsItsRangeAlongBothAxesAndKeepsTheCenter) {
  Range x, y;
  double products = 0;
  for (std::int64_t row = 0; row < 500; ++row) {
    const Center center = center_of(distorted({.scaling = 0.2}, spot(23, 23), 1, row));
    const double width = (center.x - 13.5) / 9.5;
    const double height = (center.y - 13.5) / 9.5;
    x.add(width);
    y.add(height);
    products += (width - 1) * (height - 1);
    const Center middle = center_of(distorted({.scaling = 0.2}, spot(13, 13), 1, row));
    EXPECT_NEAR(middle.x, 13, 0.2);
    EXPECT_NEAR(middle.y, 13, 0.2);
  }
  x.expect(0.8, 1.2, 0.02);
  y.expect(0.8, 1.2, 0.02);
  EXPECT_NEAR(products / 500, 0, 0.003) << "the axes are independent";
}

TEST(Augmenter, ShearSlantsEitherWayAndKeepsTheRows) {
  Range shift;
  for (std::int64_t row = 0; row < 500; ++row) {
    const Center center = center_of(distorted({.shear = 30}, spot(6, 13), 1, row));
    EXPECT_NEAR(center.y, 6, 0.05);
    shift.add(center.x - 13);
  }
  const double furthest = 7.5 * std::tan(M_PI / 6);
  shift.expect(-furthest, furthest, 0.15);
}

TEST(Augmenter, ElasticFieldHasItsStandardDeviationAlongBothAxes) {
  double x_squares = 0, y_squares = 0, products = 0;
  constexpr int kRows = 2000;
  for (std::int64_t row = 0; row < kRows; ++row) {
    const Center center =
        center_of(distorted({.elastic = 1, .elastic_smoothness = 6}, spot(13, 13), 1, row));
    x_squares += (center.x - 13) * (center.x - 13);
    y_squares += (center.y - 13) * (center.y - 13);
    products += (center.x - 13) * (center.y - 13);
  }
  EXPECT_NEAR(std::sqrt(x_squares / kRows), 1, 0.12);
  EXPECT_NEAR(std::sqrt(y_squares / kRows), 1, 0.12);
  EXPECT_NEAR(products / kRows, 0, 0.1) << "the axes are independent";
}

/// The correlation of the horizontal displacements of two spots, 8 pixels apart.
double correlation(double smoothness) {
  double products = 0, squares = 0;
  const AugmentOptions options{.elastic = 1, .elastic_smoothness = smoothness};
  for (std::int64_t row = 0; row < 1000; ++row) {
    const double left = center_of(distorted(options, spot(13, 9), 1, row)).x - 9;
    const double right = center_of(distorted(options, spot(13, 17), 1, row)).x - 17;
    products += left * right;
    squares += (left * left + right * right) / 2;
  }
  return products / squares;
}

TEST(Augmenter, ElasticSmoothnessIsTheRangeOfTheField) {
  // White noise smoothed by a Gaussian of deviation s has the correlation exp(-d^2 / (4 s^2)).
  EXPECT_NEAR(correlation(2), 0, 0.15);
  EXPECT_NEAR(correlation(6), std::exp(-64.0 / 144), 0.12);
}

TEST(Augmenter, FlipMirrorsItsFractionOfImages) {
  int mirrored = 0;
  for (std::int64_t row = 0; row < 1000; ++row) {
    const double x = center_of(distorted({.flip = 0.25}, spot(13, 5), 1, row)).x;
    if (std::abs(x - 22) < 0.01) {
      ++mirrored;
    } else {
      EXPECT_NEAR(x, 5, 0.01);
    }
  }
  EXPECT_NEAR(mirrored / 1000.0, 0.25, 0.05);
}

TEST(Augmenter, ErasingBlanksARectangleInItsFractionOfImages) {
  const Image bright(kSide * kSide, 255);
  int erased = 0;
  Range areas;
  double wide = 0;
  std::set<char> borders;
  for (std::int64_t row = 0; row < 1000; ++row) {
    const Image image = distorted({.erasing = 0.3}, bright, 1, row);
    const auto blank = std::count(image.begin(), image.end(), 0);
    if (blank == 0) continue;
    ++erased;
    areas.add(static_cast<double>(blank) / (kSide * kSide));
    std::ptrdiff_t left = kSide, right = -1, top = kSide, bottom = -1;
    for (std::ptrdiff_t i = 0; i < std::ssize(image); ++i) {
      if (image[static_cast<std::size_t>(i)] != 0) continue;
      left = std::min(left, i % kSide);
      right = std::max(right, i % kSide);
      top = std::min(top, i / kSide);
      bottom = std::max(bottom, i / kSide);
    }
    EXPECT_EQ(blank, (right - left + 1) * (bottom - top + 1)) << "a solid rectangle";
    wide += right - left > bottom - top ? 1 : 0;
    if (left == 0) borders.insert('l');
    if (top == 0) borders.insert('t');
    // Those as wide or as high as the image reach both borders anyway.
    if (right == kSide - 1 && left > 0) borders.insert('r');
    if (bottom == kSide - 1 && top > 0) borders.insert('b');
  }
  EXPECT_NEAR(erased / 1000.0, 0.3, 0.06);
  areas.expect(0.02, 0.33, 0.02);
  EXPECT_NEAR(wide / erased, 0.5, 0.1) << "as often wide as high";
  EXPECT_EQ(borders.size(), 4U) << "reaches every border";
}

}  // namespace
}  // namespace mnist
