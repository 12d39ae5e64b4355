// Resampling by maps whose results are known exactly.
#include "augment/resample.hpp"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

namespace mnist {
namespace {

constexpr std::size_t kRows = 28;
constexpr std::size_t kColumns = 21;  // not a multiple of any vector, and not square

std::vector<std::uint8_t> pattern() {
  std::vector<std::uint8_t> image(kRows * kColumns);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<std::uint8_t>(i * 37 % 251);
  return image;
}

std::vector<std::uint8_t> resampled(const AffineMap& map, SplineField* field = nullptr) {
  std::vector<std::uint8_t> distorted(kRows * kColumns, 99);
  ResampleScratch scratch(kRows, kColumns);
  resample(pattern().data(), map, field, distorted.data(), scratch);
  return distorted;
}

/// The pattern's pixel, 0 outside.
int pixel(std::ptrdiff_t y, std::ptrdiff_t x) {
  static const auto image = pattern();
  const bool inside = y >= 0 && x >= 0 && y < std::ptrdiff_t{kRows} && x < std::ptrdiff_t{kColumns};
  return inside ? image[static_cast<std::size_t>(y) * kColumns + static_cast<std::size_t>(x)] : 0;
}

TEST(Resample, TheIdentityChangesNothing) {
  EXPECT_EQ(resampled({}), pattern());
}

TEST(Resample, IntegerShiftsAreExactAndTheOutsideIsBlank) {
  const auto moved = resampled({.x0 = -3, .y0 = 2});
  for (std::ptrdiff_t y = 0; y < std::ptrdiff_t{kRows}; ++y) {
    for (std::ptrdiff_t x = 0; x < std::ptrdiff_t{kColumns}; ++x) {
      EXPECT_EQ(moved[static_cast<std::size_t>(y) * kColumns + static_cast<std::size_t>(x)],
                pixel(y + 2, x - 3));
    }
  }
}

TEST(Resample, FractionalShiftsInterpolateFourNeighbors) {
  const auto mixed = resampled({.x0 = 0.25F, .y0 = -0.5F});
  for (std::ptrdiff_t y = 0; y < std::ptrdiff_t{kRows}; ++y) {
    for (std::ptrdiff_t x = 0; x < std::ptrdiff_t{kColumns}; ++x) {
      const double left = (pixel(y - 1, x) + pixel(y, x)) / 2.0;
      const double right = (pixel(y - 1, x + 1) + pixel(y, x + 1)) / 2.0;
      EXPECT_NEAR(mixed[static_cast<std::size_t>(y) * kColumns + static_cast<std::size_t>(x)],
                  0.75 * left + 0.25 * right, 0.5001);
    }
  }
}

TEST(Resample, MirrorsAndTransposes) {
  const auto mirrored = resampled({.xx = -1, .x0 = kColumns - 1});
  EXPECT_EQ(mirrored[5 * kColumns + 3], pixel(5, kColumns - 1 - 3));
  const auto transposed = resampled({.xx = 0, .xy = 1, .yx = 1, .yy = 0});
  EXPECT_EQ(transposed[5 * kColumns + 3], pixel(3, 5));
}

TEST(Resample, FarOutsideEverythingIsBlank) {
  for (const float far : {1e3F, -1e3F, 1e9F, -1e9F}) {
    const auto blank = resampled({.x0 = far, .y0 = far});
    EXPECT_EQ(std::count(blank.begin(), blank.end(), 0), std::ssize(blank));
  }
}

TEST(Resample, AControlPointMovesItsSurroundings) {
  SplineField field(kRows, kColumns, 3);
  std::fill(field.x.begin(), field.x.end(), 0.0F);
  std::fill(field.y.begin(), field.y.end(), 0.0F);
  EXPECT_EQ(resampled({}, &field), pattern());
  field.x[2 * field.grid_columns + 2] = 4;  // the point (1, 1) spacings into the image
  const auto moved = resampled({}, &field);
  EXPECT_NE(moved[5 * kColumns + 5], pixel(5, 5));
  EXPECT_EQ(moved[27 * kColumns + 20], pixel(27, 20)) << "four spacings away";
}

TEST(SplineField, PreservesTheVarianceOfItsControlPoints) {
  const SplineField field(kRows, kColumns, 4);
  for (std::size_t y = 0; y < kRows; ++y) {
    const float* const row = &field.row_weights[y * field.grid_rows];
    EXPECT_NEAR(std::inner_product(row, row + field.grid_rows, row, 0.0), 1, 1e-5);
  }
}

}  // namespace
}  // namespace mnist
