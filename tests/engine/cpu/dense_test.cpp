// Products that multiply by all activations agree with those that look for the nonzero ones.
#include <algorithm>
#include <string>

#include "kernels_test_support.hpp"

namespace mnist {
namespace {

constexpr std::size_t kUnits = 48;
constexpr std::size_t kRows = kTiles * kTile;
constexpr std::size_t kWidth = 112;  // 7 blocks: pairs of vectors and a single one

class DenseKernels : public ::testing::TestWithParam<const CpuKernels*> {
 protected:
  /// A quarter of the activations are zero, and all of those beyond the last example.
  DenseKernels() {
    for (float& value : values_) value += 0.5F;
    GetParam()->relu({values_.data(), kUnits}, kExamples, kUnits, {}, masks_.data(), kUnits);
  }

  LayerInputs inputs(bool dense) const {
    return {.inputs = kUnits,
            .tiles = kTiles,
            .masks = masks_.data(),
            .values = values_.data(),
            .value_stride = kUnits,
            .dense = dense};
  }
  ParameterSlice slice() { return {kWidth, weights_.data(), first_.data(), second_.data()}; }
  Rows deltas() { return {deltas_.data(), kWidth}; }

  AlignedVector<float> values_ = noise(kRows * kUnits, 1);
  AlignedVector<std::uint32_t> masks_ = AlignedVector<std::uint32_t>(kTiles * kUnits);
  AlignedVector<float> weights_ = noise(kUnits * kWidth, 2);
  AlignedVector<float> first_ = noise(kUnits * kWidth, 3);
  AlignedVector<float> second_ = AlignedVector<float>(kUnits * kWidth, 0.01F);
  AlignedVector<float> deltas_ = noise(kRows * kWidth, 4);  // not zero beyond the last example
  std::vector<std::uint8_t> active_ = std::vector<std::uint8_t>(kUnits / 2);
};

TEST_P(DenseKernels, ArePreferredWithHalfOfTheActivations) {
  const auto prefers = [](std::uint32_t mask, std::size_t tiles, std::size_t begin) {
    std::vector<std::uint32_t> masks(kUnits * tiles, mask);
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      std::fill_n(masks.begin() + static_cast<std::ptrdiff_t>(tile * kUnits), 16, 0U);
    }
    const LayerInputs inputs{.inputs = kUnits, .tiles = tiles, .masks = masks.data()};
    return GetParam()->prefers_dense(inputs, begin, kUnits);
  };
  EXPECT_TRUE(prefers(0x0000FFFF, 2, 16));
  EXPECT_FALSE(prefers(0x0000FFFF, 2, 0)) << "a third of them";
  EXPECT_FALSE(prefers(0x00007FFF, 2, 16));
  EXPECT_FALSE(prefers(0xFFFFFFFF, 1, 16)) << "few examples";
}

TEST_P(DenseKernels, ForwardHasTheSameBits) {
  const auto bias = noise(kWidth, 5);
  for (const bool with_bias : {true, false}) {
    const auto forward = [&](bool dense) {
      AlignedVector<float> outputs(kRows * kWidth);
      GetParam()->linear_forward(inputs(dense), {16, kUnits, 16}, kExamples, slice(),
                                 with_bias ? bias.data() : nullptr, {outputs.data(), kWidth});
      outputs.resize(kExamples * kWidth);
      return outputs;
    };
    EXPECT_EQ(forward(true), forward(false));
  }
}

TEST_P(DenseKernels, GradientsOfUnitsAreThoseOfTheOtherProduct) {
  constexpr std::size_t kLeft = 64;
  AlignedVector<float> left(kUnits * kLeft);
  AlignedVector<float> right(kUnits * (kWidth - kLeft));
  for (std::size_t k = 0; k < kUnits; ++k) {
    const float* const row = weights_.data() + k * kWidth;
    std::copy_n(row, kLeft, left.data() + k * kLeft);
    std::copy_n(row + kLeft, kWidth - kLeft, right.data() + k * (kWidth - kLeft));
  }
  const std::vector<ParameterSlice> slices{{kLeft, left.data()}, {kWidth - kLeft, right.data()}};
  AlignedVector<float> scratch(kWidth * kScratchPerOutput);
  const auto gradient = [&](bool dense) {
    AlignedVector<float> below(kRows * kUnits, 5.0F);
    GetParam()->backward_input(inputs(dense), 16, kUnits, slices, deltas(), 1.5F,
                               {below.data(), kUnits}, scratch.data());
    return below;
  };
  const AlignedVector<float> dense = gradient(true);
  const AlignedVector<float> sparse = gradient(false);
  for (std::size_t i = 0; i < dense.size(); ++i) {
    EXPECT_NEAR(dense[i], sparse[i], 1e-5);
    EXPECT_EQ(dense[i] == 0, sparse[i] == 0);
  }
}

TEST_P(DenseKernels, GradientsOfWeightsHaveTheSameBits) {
  const auto start = noise(kUnits * kWidth, 6);
  for (const float* const from : {static_cast<const float*>(nullptr), start.data()}) {
    const auto gradient = [&](bool dense) {
      AlignedVector<float> target(kUnits * kWidth, 3.0F);
      GetParam()->backward_weight(inputs(dense), 16, kUnits, deltas(), slice(),
                                  {.start = from, .target = target.data()}, active_.data());
      return target;
    };
    EXPECT_EQ(gradient(true), gradient(false));
  }
}

TEST_P(DenseKernels, UpdatesHaveTheSameBits) {
  const auto weights = weights_;
  const auto first = first_;
  const auto second = second_;
  const auto update = [&](bool dense, float clip) {
    weights_ = weights;
    first_ = first;
    second_ = second;
    const OptimizerStep step{.rate = 0.01F, .root_scale = 0.3F, .clip = clip};
    GetParam()->backward_weight(inputs(dense), 16, kUnits, deltas(), slice(), {.step = &step},
                                active_.data());
    return weights_;
  };
  for (const float clip : {1.0F, 0.5F}) {
    const auto updated = update(true, clip);
    EXPECT_EQ(updated, update(false, clip));
    EXPECT_NE(updated, weights);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, DenseKernels, ::testing::ValuesIn(all_cpu_kernels()),
                         [](const auto& kernels) { return std::string(kernels.param->target); });

}  // namespace
}  // namespace mnist
