// Users' images prepared as MNIST and Fashion-MNIST were.
#include "imaging/prepare.hpp"

#include <algorithm>

#include "imaging/image_file.hpp"
#include "mnist/support/error.hpp"
#include "mnist_subset.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

GrayImage opaque(std::int64_t rows, std::int64_t columns, std::vector<std::uint8_t> luma) {
  const std::size_t size = luma.size();
  return {rows, columns, std::move(luma), std::vector<std::uint8_t>(size, 255)};
}

/// A bright bar on black: rows 30 to 69, columns 10 to 19 of 100 x 100.
GrayImage bar() {
  std::vector<std::uint8_t> luma(100 * 100, 0);
  for (std::size_t row = 30; row < 70; ++row) {
    for (std::size_t column = 10; column < 20; ++column) luma[row * 100 + column] = 200;
  }
  return opaque(100, 100, luma);
}

std::vector<std::uint8_t> prepared(const GrayImage& image) {
  return prepare(image, Preparation::kDigit, 28, "a.png");
}

TEST(Prepare, KeepsImagesOfMnistUnchanged) {
  const Dataset set = mnist_subset(Split::kTest);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    const auto begin = set.images.begin() + static_cast<std::ptrdiff_t>(i * 784);
    const std::vector<std::uint8_t> image(begin, begin + 784);
    const std::vector<std::uint8_t> again = prepared(opaque(28, 28, image));
    int largest = 0;
    for (std::size_t k = 0; k < 784; ++k)
      largest = std::max(largest, std::abs(image[k] - again[k]));
    // Pixels below 5 % contrast become background, which moves the center of a few images.
    if (largest <= 13) ++kept;
  }
  EXPECT_GE(kept, 90U);
}

TEST(Prepare, CentersTheMassAndScalesTheLongerSideToTwenty) {
  const std::vector<std::uint8_t> image = prepared(bar());
  std::int64_t rows = 0;
  double mass = 0;
  double y = 0;
  double x = 0;
  for (std::size_t i = 0; i < 784; ++i) {
    mass += image[i];
    y += static_cast<double>(image[i]) * static_cast<double>(i / 28);
    x += static_cast<double>(image[i]) * static_cast<double>(i % 28);
  }
  for (std::size_t row = 0; row < 28; ++row) {
    const auto begin = image.begin() + static_cast<std::ptrdiff_t>(row * 28);
    rows += *std::max_element(begin, begin + 28) > 127 ? 1 : 0;
  }
  EXPECT_EQ(rows, 20);
  EXPECT_NEAR(y / mass, 14, 0.51);
  EXPECT_NEAR(x / mass, 14, 0.51);
  EXPECT_EQ(*std::max_element(image.begin(), image.end()), 255);
}

TEST(Prepare, DarkOnLightEqualsLightOnDark) {
  GrayImage inverted = bar();
  for (std::uint8_t& value : inverted.luma) value = static_cast<std::uint8_t>(255 - value);
  EXPECT_EQ(prepared(inverted), prepared(bar()));
}

TEST(Prepare, TransparentPixelsAreBackground) {
  for (const int ink : {0, 255}) {
    GrayImage image = bar();
    for (std::size_t i = 0; i < image.luma.size(); ++i) {
      image.alpha[i] = image.luma[i] > 0 ? 255 : 0;
      // Transparent pixels may have any color.
      image.luma[i] = static_cast<std::uint8_t>(image.luma[i] > 0 ? ink : 77);
    }
    EXPECT_EQ(prepared(image), prepared(bar())) << ink;
  }
}

TEST(Prepare, IgnoresSpecksAndUnevenPaper) {
  GrayImage dirty = bar();
  dirty.luma[95 * 100 + 95] = 200;
  for (std::size_t i = 0; i < dirty.luma.size(); ++i) {
    if (dirty.luma[i] == 0) dirty.luma[i] = static_cast<std::uint8_t>(i % 7);
  }
  const std::vector<std::uint8_t> clean = prepared(bar());
  const std::vector<std::uint8_t> image = prepared(dirty);
  for (std::size_t i = 0; i < image.size(); ++i) EXPECT_NEAR(image[i], clean[i], 6) << i;
}

TEST(Prepare, KeepsTheDotOfAnI) {
  GrayImage dotted = bar();
  for (std::size_t row = 18; row < 24; ++row) {
    for (std::size_t column = 12; column < 18; ++column) dotted.luma[row * 100 + column] = 200;
  }
  const std::vector<std::uint8_t> image = prepared(dotted);
  int inked_rows = 0;
  for (std::size_t row = 0; row < 28; ++row) {
    const auto begin = image.begin() + static_cast<std::ptrdiff_t>(row * 28);
    inked_rows += *std::max_element(begin, begin + 28) > 127 ? 1 : 0;
  }
  // 52 rows become 20: two for the dot, a gap of two, and 15 for the stem.
  EXPECT_NEAR(inked_rows, 17, 1);
}

TEST(Prepare, GarmentsFillTheImageAndKeepTheirBrightness) {
  const std::vector<std::uint8_t> image = prepare(bar(), Preparation::kGarment, 28, "a.png");
  EXPECT_NEAR(image[14 * 28 + 14], 200, 2);
  EXPECT_NEAR(image[14], 200, 40);  // reaches the topmost row
  EXPECT_EQ(image[14 * 28 + 2], 0);
}

TEST(Prepare, RejectsBlankAndUnfitImages) {
  expect_throws<Error>([] { prepared(opaque(5, 5, std::vector<std::uint8_t>(25, 90))); },
                       "a.png: is blank");
  expect_throws<Error>([] { prepare(bar(), Preparation::kNone, 28, "a.png"); },
                       "a.png: has 100x100 pixels, but --prepare none needs 28x28");
}

}  // namespace
}  // namespace mnist
