// The kernels of every instruction set agree with naive loops in double precision.
#include "engine/cpu/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "engine/cpu/pairwise.hpp"
#include "support/aligned.hpp"
#include "support/random.hpp"

namespace mnist {
namespace {

constexpr std::size_t kInputs = 46;
constexpr std::size_t kExamples = 45;  // one full tile and one partial tile
constexpr std::size_t kTiles = 2;
constexpr std::size_t kColumns = 240;  // 15 blocks: runs of 8, 4, 2 and 1 vectors

/// Uniform random numbers in -1..1, a function of `stream`.
AlignedVector<float> noise(std::size_t count, std::uint32_t stream) {
  const RandomStream random(1, RandomPurpose::kInitialization, stream);
  AlignedVector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = 2 * random.uniform(i) - 1;
  return values;
}

/// Dropout masks that keep each example with probability 1/2.
std::vector<std::uint32_t> random_masks(std::size_t count) {
  const RandomStream random(3, RandomPurpose::kDropout, 0);
  std::vector<std::uint32_t> masks(count);
  for (std::size_t i = 0; i < count; ++i) masks[i] = random.bits(i);
  return masks;
}

class Kernels : public ::testing::TestWithParam<const CpuKernels*> {
 protected:
  Kernels() {
    const RandomStream random(2, RandomPurpose::kInitialization, 0);
    for (std::size_t e = 0; e < kTiles * kTile; ++e) {
      for (std::size_t k = 0; k < kInputs; ++k) {
        const std::uint32_t bits = random.bits(e * kInputs + k);
        const bool zero = bits % 3 != 0 || e >= kExamples;
        images_[e * kInputs + k] = zero ? std::uint8_t{0} : static_cast<std::uint8_t>(bits >> 24);
      }
    }
    for (std::size_t tile = 0; tile < kTiles; ++tile) {
      const std::uint8_t* rows[kTile];
      for (std::size_t e = 0; e < kTile; ++e) rows[e] = &images_[(tile * kTile + e) * kInputs];
      GetParam()->transpose_pixels(rows, 0, kInputs, nullptr, &pixels_[tile * kInputs * kTile],
                                   &masks_[tile * kInputs]);
    }
    inputs_ = {kInputs, kTiles, masks_.data(), pixels_.data(), values_.data(), nullptr, 0};
  }

  double value(std::size_t e, std::size_t k) const { return images_[e * kInputs + k] / 255.0; }

  ParameterSlice slice() {
    return {kColumns, weights_.data(), first_.data(), second_.data(), squares_.data()};
  }

  AlignedVector<std::uint8_t> images_ = AlignedVector<std::uint8_t>(kTiles * kTile * kInputs);
  AlignedVector<std::uint8_t> pixels_ = images_;
  AlignedVector<std::uint32_t> masks_ = AlignedVector<std::uint32_t>(kTiles * kInputs);
  const std::vector<float> values_ = pixel_values();
  std::vector<std::uint8_t> active_ = std::vector<std::uint8_t>(kInputs / 2);
  LayerInputs inputs_;
  AlignedVector<float> weights_ = noise(kInputs * kColumns, 1);
  AlignedVector<float> first_ = noise(kInputs * kColumns, 2);
  AlignedVector<float> second_ = AlignedVector<float>(kInputs * kColumns, 0.01F);
  AlignedVector<float> squares_ = AlignedVector<float>(kColumns);
  AlignedVector<float> deltas_ = noise(kTiles * kTile * kColumns, 3);
};

TEST_P(Kernels, TransposePixelsGroupsThemByTile) {
  for (std::size_t e = 0; e < kTiles * kTile; ++e) {
    for (std::size_t k = 0; k < kInputs; ++k) {
      const std::size_t column = e / kTile * kInputs + k;
      EXPECT_EQ(pixels_[column * kTile + e % kTile], images_[e * kInputs + k]);
      EXPECT_EQ((masks_[column] >> (e % kTile)) & 1U, images_[e * kInputs + k] != 0 ? 1U : 0U);
    }
  }
}

TEST_P(Kernels, TransposePixelsAppliesTheDropoutMask) {
  const std::vector<std::uint32_t> keep = random_masks(kInputs);
  const std::uint8_t* rows[kTile];
  for (std::size_t e = 0; e < kTile; ++e) rows[e] = &images_[e * kInputs];
  GetParam()->transpose_pixels(rows, 0, kInputs, keep.data(), pixels_.data(), masks_.data());
  for (std::size_t e = 0; e < kTile; ++e) {
    for (std::size_t k = 0; k < kInputs; ++k) {
      const std::uint8_t kept = (keep[k] >> e & 1U) != 0 ? images_[e * kInputs + k] : 0;
      EXPECT_EQ(pixels_[k * kTile + e], kept);
      EXPECT_EQ((masks_[k] >> e) & 1U, kept != 0 ? 1U : 0U);
    }
  }
}

TEST_P(Kernels, ForwardSumsTheGivenInputs) {
  const auto bias = noise(kColumns, 4);
  for (const bool with_bias : {true, false}) {
    AlignedVector<float> outputs(kTiles * kTile * kColumns, 7.0F);
    GetParam()->linear_forward(inputs_, {4, 40, 8}, kExamples, slice(),
                               with_bias ? bias.data() : nullptr, {outputs.data(), kColumns});
    for (std::size_t e = 0; e < kTiles * kTile; ++e) {
      for (std::size_t j = 0; j < kColumns; ++j) {
        double expected = with_bias ? static_cast<double>(bias[j]) : 0.0;
        for (std::size_t k = 4; k < 40; ++k) {
          expected += value(e, k) * static_cast<double>(weights_[k * kColumns + j]);
        }
        EXPECT_NEAR(outputs[e * kColumns + j], e < kExamples ? expected : 7.0, 1e-5);
      }
    }
  }
}

TEST_P(Kernels, ForwardDoesNotDependOnWhoAddsUpTheLeaves) {
  // Eight leaves of 6 inputs, the last of 4; three threads have 3, 2 and 3 of them.
  constexpr std::size_t kLeaf = 6;
  constexpr std::size_t kNode = kTiles * kTile * kColumns;
  const std::size_t ends[] = {0, 3, 5, 8};
  std::vector<PairwiseNode> nodes;
  for (std::size_t thread = 0; thread < 3; ++thread) {
    for (const PairwiseNode& node : pairwise_nodes(ends[thread], ends[thread + 1])) {
      nodes.push_back(node);
    }
  }
  AlignedVector<float> partials(nodes.size() * kNode);
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const std::size_t begin = nodes[n].begin * kLeaf;
    const std::size_t end = std::min(begin + nodes[n].count * kLeaf, kInputs);
    GetParam()->linear_forward(inputs_, {begin, end, kLeaf}, kExamples, slice(), nullptr,
                               {&partials[n * kNode], kColumns});
  }
  const auto zeros = AlignedVector<float>(kColumns);
  AlignedVector<float> whole(kNode);
  GetParam()->linear_forward(inputs_, {0, kInputs, kLeaf}, kExamples, slice(), nullptr,
                             {whole.data(), kColumns});
  AlignedVector<float> added(kNode);
  const std::vector<std::size_t> additions = additions_of(nodes);
  GetParam()->add_partial_sums({partials.data(), kNode, kColumns, additions}, kExamples, 16,
                               kColumns, zeros.data(), {added.data(), kColumns});
  for (std::size_t e = 0; e < kExamples; ++e) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      EXPECT_EQ(added[e * kColumns + j], j < 16 ? 0.0F : whole[e * kColumns + j]);
    }
  }
}

TEST_P(Kernels, ReluWritesMasksOfActiveUnits) {
  AlignedVector<float> values = noise(kTiles * kTile * kColumns, 5);
  const AlignedVector<float> before = values;
  AlignedVector<std::uint32_t> masks(kTiles * kColumns, 99);
  GetParam()->relu({values.data(), kColumns}, kExamples, kColumns, {}, masks.data(), kColumns);
  for (std::size_t e = 0; e < kExamples; ++e) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      EXPECT_EQ(values[e * kColumns + j], std::max(before[e * kColumns + j], 0.0F));
      const bool bit = ((masks[e / kTile * kColumns + j] >> (e % kTile)) & 1U) != 0;
      EXPECT_EQ(bit, before[e * kColumns + j] > 0);
    }
  }
  EXPECT_EQ(masks[kColumns] >> (kExamples - kTile), 0U) << "no bits beyond the last example";
  for (std::size_t i = kExamples * kColumns; i < values.size(); ++i) EXPECT_EQ(values[i], 0.0F);
}

TEST_P(Kernels, ReluAppliesDropout) {
  AlignedVector<float> values = noise(kTiles * kTile * kColumns, 5);
  const AlignedVector<float> before = values;
  AlignedVector<std::uint32_t> masks(kTiles * kColumns);
  const std::vector<std::uint32_t> keep = random_masks(kTiles * kColumns);
  GetParam()->relu({values.data(), kColumns}, kExamples, kColumns, {keep.data(), 2.0F},
                   masks.data(), kColumns);
  for (std::size_t e = 0; e < kExamples; ++e) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      const std::size_t word = e / kTile * kColumns + j;
      const bool kept = (keep[word] >> (e % kTile) & 1U) != 0;
      const float expected = kept ? 2 * std::max(before[e * kColumns + j], 0.0F) : 0.0F;
      EXPECT_EQ(values[e * kColumns + j], expected);
      EXPECT_EQ((masks[word] >> (e % kTile)) & 1U, expected > 0 ? 1U : 0U);
    }
  }
}

/// Compares softmax_loss with its definition in double precision.
void expect_softmax_loss(const CpuKernels& kernels, float smoothing) {
  constexpr std::size_t kClasses = 19;
  constexpr std::size_t kStride = 32;
  AlignedVector<float> logits = noise(kExamples * kStride, 6);
  for (float& logit : logits) logit *= 30;
  const AlignedVector<float> before = logits;
  std::vector<std::uint8_t> labels(kExamples);
  for (std::size_t e = 0; e < kExamples; ++e) labels[e] = static_cast<std::uint8_t>(e % kClasses);
  std::vector<float> losses(kExamples, -1);
  const std::size_t correct =
      kernels.softmax_loss({logits.data(), kStride}, kExamples - 1, labels.data(),
                           {kClasses, 0.25F, smoothing}, losses.data());
  std::size_t expected_correct = 0;
  EXPECT_EQ(losses[kExamples - 1], -1);
  for (std::size_t e = 0; e + 1 < kExamples; ++e) {
    const float* const row = &before[e * kStride];
    const float highest = *std::max_element(row, row + kClasses);
    double sum = 0;
    for (std::size_t c = 0; c < kClasses; ++c) {
      sum += std::exp(static_cast<double>(row[c] - highest));
    }
    if (row[labels[e]] == highest) ++expected_correct;
    double loss = 0;
    for (std::size_t c = 0; c < kClasses; ++c) {
      const double log_probability = static_cast<double>(row[c] - highest) - std::log(sum);
      const double target = static_cast<double>(smoothing) / kClasses +
                            (c == labels[e] ? 1.0 - static_cast<double>(smoothing) : 0.0);
      loss -= target * log_probability;
      EXPECT_NEAR(logits[e * kStride + c], 0.25 * (std::exp(log_probability) - target), 1e-6);
    }
    EXPECT_NEAR(losses[e], loss, 2e-5);
    for (std::size_t c = kClasses; c < kStride; ++c) EXPECT_EQ(logits[e * kStride + c], 0.0F);
  }
  EXPECT_EQ(correct, expected_correct);
}

TEST_P(Kernels, SoftmaxLossComputesLossAndGradient) {
  for (const float smoothing : {0.0F, 0.25F}) expect_softmax_loss(*GetParam(), smoothing);
}

TEST_P(Kernels, BackwardDoesNotDependOnTheSlices) {
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

TEST_P(Kernels, UpdateIsAdam) {
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

TEST_P(Kernels, WithoutAStepTheSquaredGradientsAreSummed) {
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

TEST_P(Kernels, GradientsCanBeStoredAndUsedLater) {
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

TEST_P(Kernels, UpdateSkipsInputsThatWereNeverActive) {
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

TEST_P(Kernels, AdamIsAccurateForTinyAndHugeSecondMoments) {
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

INSTANTIATE_TEST_SUITE_P(Targets, Kernels, ::testing::ValuesIn(all_cpu_kernels()),
                         [](const auto& kernels) { return std::string(kernels.param->target); });

TEST(CpuKernels, BestAreThoseOfTheWidestVectors) {
  const auto all = all_cpu_kernels();
  ASSERT_FALSE(all.empty());
  const auto widest = std::max_element(all.begin(), all.end(), [](const auto* a, const auto* b) {
    return a->slice_columns < b->slice_columns;
  });
  EXPECT_EQ(best_cpu_kernels().slice_columns, (*widest)->slice_columns);
}

#ifdef __x86_64__
TEST(CpuKernels, BestAreThoseOfTheNewestInstructionSet) {
  const std::string target = best_cpu_kernels().target;
  EXPECT_EQ(target == "AVX2" || target.starts_with("AVX3"),
            __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      << target;
  EXPECT_EQ(target.starts_with("AVX3"),
            __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
      << target;
}
#endif

}  // namespace
}  // namespace mnist
