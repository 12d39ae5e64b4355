// The kernels of every instruction set agree with naive loops in double precision.
#include "engine/cpu/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "engine/cpu/pairwise.hpp"
#include "kernels_test_support.hpp"

namespace mnist {
namespace {

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
  // Eight leaves of 6 inputs, the last of 4; three threads have 2, 3 and 3 of them.
  constexpr std::size_t kLeaf = 6;
  constexpr std::size_t kNode = kTiles * kTile * kColumns;
  const std::vector<PairwiseNode> nodes = shared_nodes(8, 3);
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
