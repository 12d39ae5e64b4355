// Philox against its authors' known answers, and the distributions drawn from it.
#include "support/random.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace mnist {
namespace {

// From the kat_vectors file of Random123, the authors' own library: philox4x32, 10 rounds.
TEST(Philox, GivesTheKnownAnswers) {
  using Block = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsAPureFunctionOfItsArguments) {
  const RandomStream stream(7, RandomPurpose::kShuffle, 3);
  EXPECT_EQ(stream.bits(11), RandomStream(7, RandomPurpose::kShuffle, 3).bits(11));
  EXPECT_NE(stream.bits(11), RandomStream(8, RandomPurpose::kShuffle, 3).bits(11));
  EXPECT_NE(stream.bits(11), RandomStream(7, RandomPurpose::kInitialization, 3).bits(11));
  EXPECT_NE(stream.bits(11), RandomStream(7, RandomPurpose::kShuffle, 4).bits(11));
  EXPECT_NE(stream.bits(11), stream.bits(12));
  EXPECT_NE(RandomStream(std::uint64_t{1} << 32, RandomPurpose::kShuffle, 0).bits(0),
            RandomStream(0, RandomPurpose::kShuffle, 0).bits(0));
}

TEST(RandomStream, UniformHasTheRightMeanAndVariance) {
  const RandomStream stream(1, RandomPurpose::kInitialization, 0);
  constexpr int kCount = 100'000;
  double sum = 0;
  double squares = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const double value = stream.uniform(i);
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 0.5, 0.005);
  EXPECT_NEAR(squares / kCount - mean * mean, 1.0 / 12, 0.002);
}

TEST(RandomStream, BernoulliHasTheRightFrequencyAndIsIndependent) {
  const RandomStream stream(1, RandomPurpose::kDropout, 0);
  constexpr int kWords = 20'000;
  for (const std::uint32_t numerator : {1U, 13'107U, 32'768U, 49'152U, 52'429U, 65'535U}) {
    double ones = 0;
    double both = 0;  // pairs of adjacent ones: p * p of all pairs if bits are independent
    for (std::uint64_t i = 0; i < kWords; ++i) {
      const std::uint32_t word = stream.bernoulli(numerator, i);
      ones += std::popcount(word);
      both += std::popcount(word & std::rotl(word, 1));
    }
    const double p = numerator / 65536.0;
    EXPECT_NEAR(ones / (32.0 * kWords), p, 0.003) << numerator;
    EXPECT_NEAR(both / (32.0 * kWords), p * p, 0.004) << numerator;
  }
  EXPECT_EQ(stream.bernoulli(30'000, 5), stream.bernoulli(30'000, 5));
  EXPECT_NE(stream.bernoulli(30'000, 5), stream.bernoulli(30'000, 6));
}

TEST(RandomStream, PermutationIsCompleteAndUniform) {
  std::vector<std::int64_t> order = RandomStream(0, RandomPurpose::kShuffle, 1).permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  std::vector<std::int64_t> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(order, all);

  // Each of the 6 permutations of 3 has probability 1/6: chi-squared with 5 degrees of freedom is
  // below 20.5 in 999 of 1000 cases.
  std::array<int, 27> counts{};
  constexpr int kTrials = 6000;
  for (std::uint32_t epoch = 0; epoch < kTrials; ++epoch) {
    const auto three = RandomStream(5, RandomPurpose::kShuffle, epoch).permutation(3);
    ++counts[static_cast<std::size_t>(three[0] * 9 + three[1] * 3 + three[2])];
  }
  double chi_squared = 0;
  for (const int count : counts) {
    if (count > 0) chi_squared += std::pow(count - kTrials / 6.0, 2) / (kTrials / 6.0);
  }
  EXPECT_LT(chi_squared, 20.5);
}

}  // namespace
}  // namespace mnist
