// The backward kernels of every instruction set agree with naive loops in double precision.
#include <algorithm>
#include <cmath>
#include <string>

#include "kernels_test_support.hpp"

namespace mnist {
namespace {

class Gradients : public Kernels {};

TEST_P(Gradients, BackwardDoesNotDependOnTheSlices) {
  constexpr std::size_t kLeft = 96;
  AlignedVector<float> left(kInputs * kLeft);
  AlignedVector<float> right(kInputs * (kColumns - kLeft));
  for (std::size_t k = 0; k < kInputs; ++k) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      (j < kLeft ? left[k * kLeft + j] : right[k * (kColumns - kLeft) + j - kLeft]) =
          weights_[k * kColumns + j];
    }
  }
  AlignedVector<float> scratch(kColumns * kScratchPerOutput);
  AlignedVector<float> one(kTiles * kTile * kInputs, 5.0F);
  AlignedVector<float> two = one;
  const std::vector<ParameterSlice> halves{{kLeft, left.data()}, {kColumns - kLeft, right.data()}};
  GetParam()->backward_input(inputs_, 2, kInputs, {slice()}, {deltas_.data(), kColumns}, 1.5F,
                             {one.data(), kInputs}, scratch.data());
  GetParam()->backward_input(inputs_, 2, kInputs, halves, {deltas_.data(), kColumns}, 1.5F,
                             {two.data(), kInputs}, scratch.data());
  EXPECT_EQ(one, two);
  for (std::size_t e = 0; e < kTiles * kTile; ++e) {
    for (std::size_t k = 0; k < kInputs; ++k) {
      double expected = 0;
      for (std::size_t j = 0; j < kColumns; ++j) {
        expected += 1.5 * static_cast<double>(deltas_[e * kColumns + j]) *
                    static_cast<double>(weights_[k * kColumns + j]);
      }
      if (images_[e * kInputs + k] == 0) expected = 0;
      if (k < 2) expected = 5;
      EXPECT_NEAR(one[e * kInputs + k], expected, 1e-4);
    }
  }
}

TEST_P(Gradients, UpdateIsAdam) {
  const OptimizerStep step{
      .rate = 0.01F, .root_scale = 0.3F, .clip = 0.5F, .l2_penalty = 0.1F, .decay = 0.99F};
  const auto weights = weights_;
  const auto first = first_;
  const auto second = second_;
  GetParam()->backward_weight(inputs_, 4, kInputs, {deltas_.data(), kColumns}, slice(),
                              {.step = &step}, active_.data());
  for (std::size_t k = 0; k < kInputs; ++k) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      const std::size_t n = k * kColumns + j;
      if (k < 4) {
        EXPECT_EQ(weights_[n], weights[n]);
        continue;
      }
      double gradient = 0;
      for (std::size_t e = 0; e < kTiles * kTile; ++e) {
        gradient += value(e, k) * static_cast<double>(deltas_[e * kColumns + j]);
      }
      gradient = 0.5 * gradient + 0.1 * static_cast<double>(weights[n]);
      const double m = 0.9 * static_cast<double>(first[n]) + 0.1 * gradient;
      const double v = 0.999 * static_cast<double>(second[n]) + 0.001 * gradient * gradient;
      EXPECT_NEAR(first_[n], m, 1e-5);
      EXPECT_NEAR(second_[n], v, 1e-5 * (1 + v));
      const double moved = 0.01 * m / (0.3 * std::sqrt(v) + 1e-8);
      EXPECT_NEAR(weights_[n], 0.99 * static_cast<double>(weights[n]) - moved,
                  1e-6 + 1e-5 * std::abs(moved));
    }
  }
}

TEST_P(Gradients, WithoutAStepTheSquaredGradientsAreSummed) {
  const auto weights = weights_;
  squares_.assign(kColumns, 99);
  GetParam()->backward_weight(inputs_, 4, kInputs, {deltas_.data(), kColumns}, slice(), {},
                              active_.data());
  for (std::size_t j = 0; j < kColumns; ++j) {
    double expected = 0;
    for (std::size_t k = 4; k < kInputs; ++k) {
      double gradient = 0;
      for (std::size_t e = 0; e < kTiles * kTile; ++e) {
        gradient += value(e, k) * static_cast<double>(deltas_[e * kColumns + j]);
      }
      expected += gradient * gradient;
    }
    EXPECT_NEAR(squares_[j], expected, 1e-3);
  }
  GetParam()->backward_bias({deltas_.data(), kColumns}, kExamples, 0, kColumns, slice(), {});
  for (std::size_t j = 0; j < kColumns; ++j) {
    double gradient = 0;
    for (std::size_t e = 0; e < kExamples; ++e) {
      gradient += static_cast<double>(deltas_[e * kColumns + j]);
    }
    EXPECT_NEAR(squares_[j], gradient * gradient, 1e-3);
  }
  EXPECT_EQ(weights_, weights);
}

TEST_P(Gradients, GradientsCanBeStoredAndUsedLater) {
  const OptimizerStep step{.rate = 0.01F, .root_scale = 0.3F};
  const Rows deltas{deltas_.data(), kColumns};
  AlignedVector<float> gradient(kInputs * kColumns, 3.0F);
  GetParam()->backward_weight(inputs_, 4, kInputs, deltas, slice(), {.target = gradient.data()},
                              active_.data());
  EXPECT_EQ(gradient[3 * kColumns], 3.0F);
  AlignedVector<float> twice = gradient;
  GetParam()->backward_weight(inputs_, 4, kInputs, deltas, slice(),
                              {.start = twice.data(), .target = twice.data()}, active_.data());
  for (std::size_t i = 4 * kColumns; i < twice.size(); ++i) {
    EXPECT_NEAR(twice[i], 2 * gradient[i], 1e-4);
  }
  LayerInputs nothing = inputs_;
  nothing.tiles = 0;
  const auto weights = weights_;
  const auto first = first_;
  const auto second = second_;
  GetParam()->backward_weight(nothing, 4, kInputs, deltas, slice(),
                              {.start = gradient.data(), .step = &step}, active_.data());
  const auto later = weights_;
  weights_ = weights;
  first_ = first;
  second_ = second;
  GetParam()->backward_weight(inputs_, 4, kInputs, deltas, slice(), {.step = &step},
                              active_.data());
  EXPECT_EQ(later, weights_);
}

TEST_P(Gradients, SumsAreAddedToTheProductsTheLastOneFirst) {
  AlignedVector<float> first_sum = noise(kInputs * kColumns, 7);
  AlignedVector<float> second_sum = noise(kInputs * kColumns, 8);
  float* const sums[] = {first_sum.data(), second_sum.data()};
  const Rows deltas{deltas_.data(), kColumns};
  AlignedVector<float> products(kInputs * kColumns);
  AlignedVector<float> found(kInputs * kColumns);
  const auto gradient = [&](const GradientUse& use) {
    GetParam()->backward_weight(inputs_, 0, kInputs, deltas, slice(), use, active_.data());
  };
  gradient({.target = products.data()});
  gradient({.sums = sums, .target = found.data()});
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i], first_sum[i] + (second_sum[i] + products[i]));
  }
  const auto weights = weights_;
  const auto first = first_;
  const auto second = second_;
  const auto updated = [&](const LayerInputs& inputs, const GradientUse& use) {
    weights_ = weights;
    first_ = first;
    second_ = second;
    GetParam()->backward_weight(inputs, 0, kInputs, deltas, slice(), use, active_.data());
    return weights_;
  };
  LayerInputs nothing = inputs_;
  nothing.tiles = 0;
  for (const float clip : {1.0F, 0.5F}) {
    const OptimizerStep step{.rate = 0.01F, .root_scale = 0.3F, .clip = clip};
    const auto at_once = updated(inputs_, {.sums = sums, .step = &step});
    EXPECT_EQ(updated(nothing, {.start = found.data(), .step = &step}), at_once);
  }
}

TEST_P(Gradients, SumsAreAddedToTheGradientOfTheBias) {
  AlignedVector<float> sum = noise(kColumns, 7);
  float* const sums[] = {sum.data()};
  AlignedVector<float> alone(kColumns);
  AlignedVector<float> both(kColumns);
  const Rows deltas{deltas_.data(), kColumns};
  GetParam()->backward_bias(deltas, kExamples, 0, kColumns, slice(), {.target = alone.data()});
  GetParam()->backward_bias(deltas, kExamples, 0, kColumns, slice(),
                            {.sums = sums, .target = both.data()});
  for (std::size_t j = 0; j < kColumns; ++j) EXPECT_EQ(both[j], sum[j] + alone[j]);
}

TEST_P(Gradients, UpdateSkipsInputsThatWereNeverActive) {
  std::fill(masks_.begin(), masks_.end(), 0U);
  const auto weights = weights_;
  active_[3] = 1;
  const OptimizerStep step{.rate = 0.1F, .root_scale = 1};
  GetParam()->backward_weight(inputs_, 0, kInputs, {deltas_.data(), kColumns}, slice(),
                              {.step = &step}, active_.data());
  for (std::size_t k = 0; k < kInputs; ++k) {
    EXPECT_EQ(weights_[k * kColumns] == weights[k * kColumns], k / 2 != 3) << k;
  }
}

TEST_P(Gradients, AdamIsAccurateForTinyAndHugeSecondMoments) {
  for (const float second : {0.0F, 1e-35F, 1e-20F, 1e-8F, 1.0F, 1e20F}) {
    AlignedVector<float> weights(kBlock, 1.0F);
    AlignedVector<float> first(kBlock, 1e-3F);
    AlignedVector<float> seconds(kBlock, second);
    const AlignedVector<float> deltas(kTile * kBlock, 0.0F);
    const OptimizerStep step{.rate = 1e-3F, .root_scale = 1.0F};
    GetParam()->backward_bias({const_cast<float*>(deltas.data()), kBlock}, 1, 0, kBlock,
                              {kBlock, weights.data(), first.data(), seconds.data()},
                              {.step = &step});
    const double moved = 1e-3 * 0.9e-3 / (std::sqrt(0.999 * static_cast<double>(second)) + 1e-8);
    EXPECT_NEAR(weights[0], 1 - moved, 1e-6 * std::max(1.0, moved)) << second;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Gradients, ::testing::ValuesIn(all_cpu_kernels()),
                         [](const auto& kernels) { return std::string(kernels.param->target); });

}  // namespace
}  // namespace mnist
