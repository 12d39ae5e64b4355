// A person's image in MNIST's form.
#include "imaging/prepare.hpp"

#include <algorithm>

#include "mnist/support/error.hpp"
#include "mnist_subset.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

Picture opaque(std::int64_t rows, std::int64_t columns, std::vector<std::uint8_t> light) {
  const std::size_t size = light.size();
  return {rows, columns, std::move(light), std::vector<std::uint8_t>(size, 255)};
}

/// A bright bar on black: rows 30 to 69, columns 10 to 19 of 100 x 100.
Picture bar() {
  std::vector<std::uint8_t> light(100 * 100, 0);
  for (std::size_t row = 30; row < 70; ++row) {
    for (std::size_t column = 10; column < 20; ++column) light[row * 100 + column] = 200;
  }
  return opaque(100, 100, light);
}

std::vector<std::uint8_t> prepared(const Picture& picture) {
  return prepare(picture, Preparation::kDigit, 28, "a.png");
}

TEST(Prepare, MnistsOwnImagesStayAsTheyAre) {
  const Dataset set = mnist_subset(Split::kTest);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    const auto begin = set.images.begin() + static_cast<std::ptrdiff_t>(i * 784);
    const std::vector<std::uint8_t> image(begin, begin + 784);
    const std::vector<std::uint8_t> again = prepared(opaque(28, 28, image));
    int largest = 0;
    for (std::size_t k = 0; k < 784; ++k)
      largest = std::max(largest, std::abs(image[k] - again[k]));
    // Pixels below the floor of 5 % are background; a few images lost some before they were cut.
    if (largest <= 13) ++kept;
  }
  EXPECT_GE(kept, 90U);
}

TEST(Prepare, PutsTheCentreOfMassInTheMiddleAndTheLongerSideToTwenty) {
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

TEST(Prepare, DarkOnLightIsTheSame) {
  Picture inverted = bar();
  for (std::uint8_t& value : inverted.light) value = static_cast<std::uint8_t>(255 - value);
  EXPECT_EQ(prepared(inverted), prepared(bar()));
}

TEST(Prepare, TransparentPartsAreBackground) {
  for (const int ink : {0, 255}) {
    Picture picture = bar();
    for (std::size_t i = 0; i < picture.light.size(); ++i) {
      picture.opacity[i] = picture.light[i] > 0 ? 255 : 0;
      // What is transparent has any colour.
      picture.light[i] = static_cast<std::uint8_t>(picture.light[i] > 0 ? ink : 77);
    }
    EXPECT_EQ(prepared(picture), prepared(bar())) << ink;
  }
}

TEST(Prepare, SpecksAndUnevenPaperAreNoInk) {
  Picture dirty = bar();
  dirty.light[95 * 100 + 95] = 200;
  for (std::size_t i = 0; i < dirty.light.size(); ++i) {
    if (dirty.light[i] == 0) dirty.light[i] = static_cast<std::uint8_t>(i % 7);
  }
  const std::vector<std::uint8_t> clean = prepared(bar());
  const std::vector<std::uint8_t> image = prepared(dirty);
  for (std::size_t i = 0; i < image.size(); ++i) EXPECT_NEAR(image[i], clean[i], 6) << i;
}

TEST(Prepare, GarmentsFillTheImageWithTheirOwnBrightness) {
  const std::vector<std::uint8_t> image = prepare(bar(), Preparation::kGarment, 28, "a.png");
  EXPECT_NEAR(image[14 * 28 + 14], 200, 2);
  EXPECT_NEAR(image[14], 200, 40);  // the topmost row is reached
  EXPECT_EQ(image[14 * 28 + 2], 0);
}

TEST(Prepare, RefusesWhatShowsNothing) {
  expect_throws<Error>([] { prepared(opaque(5, 5, std::vector<std::uint8_t>(25, 90))); },
                       "a.png: nothing is drawn on it");
  expect_throws<Error>([] { prepare(bar(), Preparation::kNone, 28, "a.png"); },
                       "a.png: has 100x100 pixels, but --prepare none needs 28x28");
}

}  // namespace
}  // namespace mnist
