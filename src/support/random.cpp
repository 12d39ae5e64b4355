// Random numbers without state: each is a pure function of a seed, a purpose and two indices.
#include "mnist/support/random.hpp"

#include <bit>
#include <numeric>
#include <utility>

namespace mnist {
namespace {

constexpr std::uint32_t low_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
constexpr std::uint32_t high_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) {
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

RandomStream::RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint32_t epoch)
    : key_{low_word(seed), high_word(seed)},
      purpose_(static_cast<std::uint32_t>(purpose)),
      epoch_(epoch) {}

std::array<std::uint32_t, 4> RandomStream::block(std::uint64_t index) const {
  return philox({low_word(index), high_word(index), epoch_, purpose_}, key_);
}

std::uint32_t RandomStream::bits(std::uint64_t index) const {
  return block(index / 4)[index % 4];
}

float RandomStream::uniform(std::uint64_t index) const {
  return static_cast<float>(bits(index) >> 8) * 0x1p-24F;
}

std::uint32_t RandomStream::coins(std::uint32_t numerator, std::uint64_t index) const {
  // Compares 32 random numbers of 16 bits with the numerator, a bit of all of them at a time, from
  // the lowest: a random bit of 0 below a bit of 1 decides for "smaller", and the reverse.
  constexpr int kBits = 16;
  std::uint32_t smaller = 0;
  std::array<std::uint32_t, 4> words{};
  for (int bit = std::countr_zero(numerator); bit < kBits; ++bit) {
    if (bit % 4 == 0 || words == std::array<std::uint32_t, 4>{}) {
      words = block(index * (kBits / 4) + static_cast<std::uint64_t>(bit) / 4);
    }
    const std::uint32_t word = words[static_cast<std::size_t>(bit) % 4];
    smaller = (numerator >> bit & 1) != 0 ? smaller | ~word : smaller & ~word;
  }
  return smaller;
}

std::uint32_t RandomStream::below(std::uint32_t bound, std::uint64_t index) const {
  // 64 random bits scaled to the bound (Lemire's multiplication) leave a bias below 2^-32.
  const auto words = block(index);
  const std::uint64_t low_product = std::uint64_t{words[0]} * bound;
  const std::uint64_t high_product = std::uint64_t{words[1]} * bound;
  return high_word(high_product + high_word(low_product));
}

std::vector<std::int64_t> RandomStream::permutation(std::int64_t count) const {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t last = order.size(); last > 1; --last) {
    std::swap(order[last - 1], order[below(static_cast<std::uint32_t>(last), last)]);
  }
  return order;
}

}  // namespace mnist
