// Pinning the instruction set of all SIMD code.
#include "support/cpu_target.hpp"

#include <cctype>

#include "augment/augmenter.hpp"
#include "engine/cpu/kernels.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

std::string lower(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::tolower(letter));
  return text;
}

class CpuTarget : public ::testing::Test {
 protected:
  ~CpuTarget() override { use_cpu_target("auto"); }
};

TEST_F(CpuTarget, NamesAreThoseThatPeopleKnow) {
  EXPECT_EQ(instruction_set_name("AVX2"), "AVX2");
  EXPECT_EQ(instruction_set_name("AVX3"), "AVX-512");
  EXPECT_EQ(instruction_set_name("NEON_WITHOUT_AES"), "NEON-WITHOUT-AES");
}

TEST_F(CpuTarget, SelectsTheKernels) {
  const std::string best = best_cpu_kernels().target;
  for (const CpuKernels* kernels : all_cpu_kernels()) {
    use_cpu_target(lower(instruction_set_name(kernels->target)));
    EXPECT_EQ(std::string(best_cpu_kernels().target), kernels->target);
  }
  use_cpu_target("auto");
  EXPECT_EQ(best_cpu_kernels().target, best);
}

/// Distorted images of noise; in some of so many pixels, rounding differs by instruction set.
std::vector<std::uint8_t> distorted_images() {
  constexpr std::int64_t kSide = 28;
  constexpr std::size_t kPixels = kSide * kSide;
  constexpr std::int64_t kImages = 1000;
  std::vector<std::uint8_t> noise(kPixels);
  for (std::size_t i = 0; i < kPixels; ++i) noise[i] = static_cast<std::uint8_t>(i * 7919 % 251);
  AugmentOptions options;
  options.rotation = 10;
  options.elastic = 1;
  Augmenter augment(options, kSide, kSide, 1);
  std::vector<std::uint8_t> images(kPixels * kImages);
  for (std::int64_t i = 0; i < kImages; ++i) {
    augment(noise.data(), 1, i, &images[static_cast<std::size_t>(i) * kPixels]);
  }
  return images;
}

TEST_F(CpuTarget, SelectsTheResampler) {
  const auto all = all_cpu_kernels();
  if (all.size() < 2) GTEST_SKIP() << "needs a CPU with two instruction sets";
  const auto best = distorted_images();
  use_cpu_target(lower(instruction_set_name(all.back()->target)));
  EXPECT_NE(distorted_images(), best);
  use_cpu_target(lower(instruction_set_name(all.front()->target)));
  EXPECT_EQ(distorted_images(), best);
}

TEST_F(CpuTarget, UnknownNamesListThoseThatThereAre) {
  const std::string best = lower(instruction_set_name(best_cpu_kernels().target));
  expect_throws<UsageError>([] { use_cpu_target("avx9"); },
                            "--cpu-target must be one of auto, " + best);
  expect_throws<UsageError>([] { use_cpu_target("AVX2"); }, "found 'AVX2'");
  expect_throws<UsageError>([] { use_cpu_target(""); }, "found ''");
}

}  // namespace
}  // namespace mnist
