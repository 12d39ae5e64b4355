// Every element type and layout, and malformed ones.
#include "serialize/float_decoding.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "mnist/support/error.hpp"
#include "serialize/state_dict.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

using Sizes = std::vector<std::int64_t>;

template <class Number>
std::vector<std::uint8_t> bytes_of(const std::vector<Number>& numbers) {
  std::vector<std::uint8_t> bytes(numbers.size() * sizeof(Number));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

std::vector<float> decode(const std::vector<std::uint8_t>& bytes, FloatType type,
                          std::int64_t offset, const Sizes& shape, const Sizes& strides) {
  return decode_floats(bytes, type, offset, shape, strides, "t");
}

TEST(DecodeFloats, ReadsEveryType) {
  EXPECT_EQ(decode(bytes_of<float>({1.5F, -2.0F}), FloatType::kF32, 0, {2}, {1}),
            (std::vector<float>{1.5F, -2.0F}));
  EXPECT_EQ(decode(bytes_of<double>({0.1}), FloatType::kF64, 0, {1}, {1}),
            std::vector<float>{0.1F});
  EXPECT_EQ(decode(bytes_of<std::uint16_t>({0x3fc0, 0xc000}), FloatType::kBf16, 0, {2}, {1}),
            (std::vector<float>{1.5F, -2.0F}));
}

TEST(DecodeFloats, ReadsAllOfHalfPrecision) {
  // 1, the largest, the smallest normal, the smallest subnormal, -0, infinity, NaN.
  const auto halves =
      bytes_of<std::uint16_t>({0x3c00, 0x7bff, 0x0400, 0x0001, 0x8000, 0xfc00, 0x7e01});
  const auto floats = decode(halves, FloatType::kF16, 0, {7}, {1});
  EXPECT_EQ(floats[0], 1.0F);
  EXPECT_EQ(floats[1], 65504.0F);
  EXPECT_EQ(floats[2], 0x1p-14F);
  EXPECT_EQ(floats[3], 0x1p-24F);
  EXPECT_TRUE(floats[4] == 0 && std::signbit(floats[4]));
  EXPECT_EQ(floats[5], -INFINITY);
  EXPECT_TRUE(std::isnan(floats[6]));
}

TEST(DecodeFloats, FollowsOffsetsAndStrides) {
  const auto storage = bytes_of<float>({9, 1, 2, 3, 4, 5, 6});
  EXPECT_EQ(decode(storage, FloatType::kF32, 1, {2, 3}, {3, 1}),
            (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(decode(storage, FloatType::kF32, 1, {3, 2}, {1, 3}),  // the transpose
            (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(decode(storage, FloatType::kF32, 3, {}, {}), std::vector<float>{3});
  EXPECT_TRUE(decode(storage, FloatType::kF32, 7, {0}, {1}).empty());
}

TEST(DecodeFloats, IgnoresTheStridesOfDimensionsOfSize1) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const auto storage = bytes_of<float>({1, 2});
  EXPECT_EQ(decode(storage, FloatType::kF32, 0, {2, 1}, {1, kMax}), (std::vector<float>{1, 2}));
  EXPECT_EQ(decode(storage, FloatType::kF32, 1, {1, 1}, {kMax, kMax}), std::vector<float>{2});
}

TEST(DecodeFloats, RefusesLayoutsOutsideTheStorage) {
  const auto storage = bytes_of<float>({1, 2, 3, 4});
  const auto refused = [&](std::int64_t offset, const Sizes& shape, const Sizes& strides) {
    EXPECT_THROW(decode(storage, FloatType::kF32, offset, shape, strides), Error)
        << offset << " " << shape_text(shape) << " " << shape_text(strides);
  };
  refused(1, {4}, {1});
  refused(4, {1}, {1});
  refused(-1, {1}, {1});
  refused(0, {5}, {0});
  refused(0, {2}, {0});
  refused(0, {2, 2}, {3, 1});
  refused(0, {2}, {-1});
  refused(0, {-2}, {1});
  refused(0, {2, 2}, {2});
  refused(0, {std::int64_t{1} << 40, std::int64_t{1} << 40}, {1, 1});
  refused(std::int64_t{1} << 62, {2}, {std::int64_t{1} << 62});
  refused(0, {2, 2}, {std::int64_t{1} << 62, std::int64_t{1} << 62});
}

}  // namespace
}  // namespace mnist
