// Counter-based random numbers: each is a pure function of (seed, purpose, epoch, index).
// The generator is Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). Host and device code draw the same numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "support/host_device.hpp"

namespace mnist {

/// What a random number is for; streams of different purposes are independent. Never renumber:
/// the values determine the results of a seed.
enum class RandomPurpose : std::uint32_t {
  kInitialization = 1,
  kShuffle = 2,
  kValidationSplit = 3,
  kAugmentation = 4,
  kDropout = 5,
};

MNIST_HOST_DEVICE constexpr std::uint32_t low_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
MNIST_HOST_DEVICE constexpr std::uint32_t high_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

/// One block of Philox 4x32-10.
MNIST_HOST_DEVICE constexpr std::array<std::uint32_t, 4> philox(
    std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high_word(product1) ^ counter[1] ^ key[0], low_word(product1),
               high_word(product0) ^ counter[3] ^ key[1], low_word(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

/// The random numbers of one seed, purpose and epoch (or layer, or step).
class RandomStream {
 public:
  MNIST_HOST_DEVICE constexpr RandomStream(std::uint64_t seed, RandomPurpose purpose,
                                           std::uint32_t epoch)
      : key_{low_word(seed), high_word(seed)},
        purpose_(static_cast<std::uint32_t>(purpose)),
        epoch_(epoch) {}

  /// Four words of uniform bits: bits(4 * index) to bits(4 * index + 3).
  MNIST_HOST_DEVICE constexpr std::array<std::uint32_t, 4> block(std::uint64_t index) const {
    return philox({low_word(index), high_word(index), epoch_, purpose_}, key_);
  }

  /// 32 uniform bits.
  std::uint32_t bits(std::uint64_t index) const { return block(index / 4)[index % 4]; }

  /// Uniform in [0, 1), a multiple of 2^-24.
  float uniform(std::uint64_t index) const {
    return static_cast<float>(bits(index) >> 8) * 0x1p-24F;
  }

  /// 32 independent Bernoulli bits, each 1 with probability `numerator` / 2^16, which must be from
  /// 1 to 2^16 - 1. Each index uses four blocks: do not draw other numbers from the same stream.
  MNIST_HOST_DEVICE constexpr std::uint32_t bernoulli(std::uint32_t numerator,
                                                      std::uint64_t index) const {
    // Compares 32 random 16-bit numbers, bit-sliced, with the numerator, from the lowest bit up.
    constexpr int kBits = 16;
    std::uint32_t smaller = 0;
    std::array<std::uint32_t, 4> words{};
    int first = 0;
    while ((numerator >> first & 1) == 0) ++first;
    for (int bit = first; bit < kBits; ++bit) {
      if (bit == first || bit % 4 == 0) {
        words = block(index * (kBits / 4) + static_cast<std::uint64_t>(bit) / 4);
      }
      const std::uint32_t word = words[static_cast<std::size_t>(bit) % 4];
      smaller = (numerator >> bit & 1) != 0 ? smaller | ~word : smaller & ~word;
    }
    return smaller;
  }

  /// Uniform in [0, bound), with a bias below 2^-32: Lemire's multiplication with 64 random bits.
  std::uint32_t below(std::uint32_t bound, std::uint64_t index) const {
    const auto words = block(index);
    const std::uint64_t low_product = std::uint64_t{words[0]} * bound;
    const std::uint64_t high_product = std::uint64_t{words[1]} * bound;
    return high_word(high_product + high_word(low_product));
  }

  /// A random permutation of 0 to count - 1 (Fisher-Yates).
  std::vector<std::int64_t> permutation(std::int64_t count) const {
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    for (std::size_t last = order.size(); last > 1; --last) {
      std::swap(order[last - 1], order[below(static_cast<std::uint32_t>(last), last)]);
    }
    return order;
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t purpose_;
  std::uint32_t epoch_;
};

}  // namespace mnist
