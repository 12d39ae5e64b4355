// Random distortion is a pure function of its inputs, has the requested strength, and keeps zeros.
#include "augment/augmenter.hpp"

#include <algorithm>
#include <cmath>

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

TEST(Augmenter, TranslationStaysWithinItsRange) {
  double furthest = 0;
  double sum = 0;
  for (std::int64_t row = 0; row < 500; ++row) {
    const Center center = center_of(distorted({.translation = 2}, spot(13, 13), 1, row));
    furthest = std::max({furthest, std::abs(center.x - 13), std::abs(center.y - 13)});
    sum += center.x - 13;
  }
  EXPECT_NEAR(furthest, 2, 0.05);
  EXPECT_NEAR(sum / 500, 0, 0.2);
}

TEST(Augmenter, RotationTurnsAroundTheCenter) {
  double steepest = 0;
  for (std::int64_t row = 0; row < 500; ++row) {
    const Center center = center_of(distorted({.rotation = 20}, spot(13, 23), 1, row));
    const double x = center.x - 13.5;
    const double y = center.y - 13.5;
    EXPECT_NEAR(std::hypot(x, y), std::hypot(9.5, 0.5), 0.1);
    steepest = std::max(steepest, std::abs(std::atan2(y, x) - std::atan2(-0.5, 9.5)));
  }
  EXPECT_NEAR(steepest * 180 / M_PI, 20, 0.5);
}

TEST(Augmenter, ScalingKeepsTheCenterAndShearSlants) {
  for (std::int64_t row = 0; row < 100; ++row) {
    const Center scaled = center_of(distorted({.scaling = 0.2}, spot(13, 23), 1, row));
    EXPECT_GE(scaled.x, 13.5 + 9.5 * 0.78);
    EXPECT_LE(scaled.x, 13.5 + 9.5 * 1.22);
    const Center sheared = center_of(distorted({.shear = 30}, spot(6, 13), 1, row));
    EXPECT_NEAR(sheared.y, 6, 0.05);
    EXPECT_LE(std::abs(sheared.x - 13), 7.5 * std::tan(M_PI / 6) + 0.1);
  }
}

TEST(Augmenter, ElasticFieldHasItsStandardDeviation) {
  double squares = 0;
  constexpr int kRows = 2000;
  for (std::int64_t row = 0; row < kRows; ++row) {
    const Center center =
        center_of(distorted({.elastic = 1, .elastic_smoothness = 6}, spot(13, 13), 1, row));
    squares += (center.x - 13) * (center.x - 13);
  }
  EXPECT_NEAR(std::sqrt(squares / kRows), 1, 0.12);
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
  for (std::int64_t row = 0; row < 1000; ++row) {
    const Image image = distorted({.erasing = 0.5}, bright, 1, row);
    const auto blank = std::count(image.begin(), image.end(), 0);
    if (blank == 0) continue;
    ++erased;
    EXPECT_LE(blank, static_cast<std::ptrdiff_t>(0.4 * kSide * kSide));
    std::ptrdiff_t left = kSide, right = -1, top = kSide, bottom = -1;
    for (std::ptrdiff_t i = 0; i < std::ssize(image); ++i) {
      if (image[static_cast<std::size_t>(i)] != 0) continue;
      left = std::min(left, i % kSide);
      right = std::max(right, i % kSide);
      top = std::min(top, i / kSide);
      bottom = std::max(bottom, i / kSide);
    }
    EXPECT_EQ(blank, (right - left + 1) * (bottom - top + 1)) << "a solid rectangle";
  }
  EXPECT_NEAR(erased / 1000.0, 0.5, 0.06);
}

}  // namespace
}  // namespace mnist
