// State dicts of any program as networks; every element type and layout, and malformed ones.
#include "serialize/state_dict.hpp"

#include <cmath>
#include <limits>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

NamedTensor tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return {name, shape, std::vector<float>(static_cast<std::size_t>(count), 1.0F)};
}

TEST(StateDict, NamesParametersAsNnSequentialDoes) {
  const Mlp mlp = initial_parameters({4, {3}, 2, Activation::kRelu}, 0);
  const StateDict state = to_state_dict(mlp);
  const std::vector<ParameterInfo> table = parameter_table(mlp.shape());
  ASSERT_EQ(state.size(), table.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    EXPECT_EQ(state[i].name, table[i].name);
    EXPECT_EQ(state[i].shape, table[i].shape);
  }
  EXPECT_TRUE(to_mlp(state, Activation::kRelu) == mlp);
}

TEST(ToMlp, AcceptsAnyNamesAndOrder) {
  const std::vector<StateDict> inputs{
      {tensor("0.weight", {3, 4}), tensor("0.bias", {3}), tensor("2.weight", {2, 3}),
       tensor("2.bias", {2})},
      {tensor("module.net.1.bias", {3}), tensor("module.net.1.weight", {3, 4}),
       tensor("module.net.3.weight", {2, 3}), tensor("module.net.3.bias", {2})},
      {tensor("fc10.bias", {2}), tensor("fc10.weight", {2, 3}), tensor("fc2.bias", {3}),
       tensor("fc2.weight", {3, 4})},
      {tensor("first.weight", {3, 4}), tensor("first.bias", {3}), tensor("head.weight", {2, 3}),
       tensor("head.bias", {2})},
  };
  for (const StateDict& state : inputs) {
    const Mlp mlp = to_mlp(state, Activation::kTanh);
    EXPECT_EQ(mlp.shape(), (MlpShape{4, {3}, 2, Activation::kTanh}));
  }
}

TEST(ToMlp, RefusesOtherNetworks) {
  const auto refused = [](const StateDict& state, std::string_view words) {
    expect_throws<Error>([&] { to_mlp(state, Activation::kRelu); }, words);
  };
  refused({}, "holds no tensors");
  refused({tensor("0.weight", {3, 4})}, "has tensor '0.weight' but no tensor '0.bias'");
  refused({tensor("0.bias", {3})}, "has tensor '0.bias' but no tensor '0.weight'");
  refused({tensor("weight", {3, 4})}, "has tensor 'weight' but no tensor 'bias'");
  refused({tensor("0.weight", {3, 4}), tensor("0.bias", {2})},
          "0.weight [3, 4] and 0.bias [2] have different widths");
  refused({tensor("0.weight", {3, 4}), tensor("0.bias", {3}), tensor("4.weight", {2, 5}),
           tensor("4.bias", {2})},
          "4.weight [2, 5] does not fit after 0.weight [3, 4]");
  refused({tensor("conv.weight", {8, 1, 3, 3}), tensor("conv.bias", {8})},
          "'conv.weight' of shape [8, 1, 3, 3] does not belong");
  refused({tensor("0.running_mean", {3})}, "'0.running_mean' of shape [3] does not belong");
  refused({tensor("0.weight", {3, 4}), tensor("0.weight", {3, 4})}, "twice");
  refused({tensor("0.weight", {0, 4}), tensor("0.bias", {0})}, "is empty");
}

using Sizes = std::vector<std::int64_t>;

template <class Number>
std::vector<std::uint8_t> stored(const std::vector<Number>& numbers) {
  const Bytes bytes = bytes_of(numbers);
  return {bytes.begin(), bytes.end()};
}

std::vector<float> decode(const std::vector<std::uint8_t>& bytes, FloatType type,
                          std::int64_t offset, const Sizes& shape, const Sizes& strides) {
  return decode_floats(bytes, type, offset, shape, strides);
}

TEST(DecodeFloats, ReadsEveryType) {
  EXPECT_EQ(decode(stored<float>({1.5F, -2.0F}), FloatType::kF32, 0, {2}, {1}),
            (std::vector<float>{1.5F, -2.0F}));
  EXPECT_EQ(decode(stored<double>({0.1}), FloatType::kF64, 0, {1}, {1}), std::vector<float>{0.1F});
  EXPECT_EQ(decode(stored<std::uint16_t>({0x3fc0, 0xc000}), FloatType::kBf16, 0, {2}, {1}),
            (std::vector<float>{1.5F, -2.0F}));
}

TEST(DecodeFloats, ReadsAllOfHalfPrecision) {
  // 1, the largest, the smallest normal, the smallest subnormal, -0, infinity, NaN.
  const auto halves =
      stored<std::uint16_t>({0x3c00, 0x7bff, 0x0400, 0x0001, 0x8000, 0xfc00, 0x7e01});
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
  const auto storage = stored<float>({9, 1, 2, 3, 4, 5, 6});
  EXPECT_EQ(decode(storage, FloatType::kF32, 1, {2, 3}, {3, 1}),
            (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(decode(storage, FloatType::kF32, 1, {3, 2}, {1, 3}),  // the transpose
            (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(decode(storage, FloatType::kF32, 3, {}, {}), std::vector<float>{3});
  EXPECT_TRUE(decode(storage, FloatType::kF32, 7, {0}, {1}).empty());
}

TEST(DecodeFloats, IgnoresTheStridesOfDimensionsOfSize1) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const auto storage = stored<float>({1, 2});
  EXPECT_EQ(decode(storage, FloatType::kF32, 0, {2, 1}, {1, kMax}), (std::vector<float>{1, 2}));
  EXPECT_EQ(decode(storage, FloatType::kF32, 1, {1, 1}, {kMax, kMax}), std::vector<float>{2});
}

TEST(DecodeFloats, RefusesLayoutsOutsideTheStorage) {
  const auto storage = stored<float>({1, 2, 3, 4});
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
