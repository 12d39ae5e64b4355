// The parts of RandomStream that only host code uses.
#include "support/random.hpp"

#include <numeric>
#include <utility>

namespace mnist {

std::uint32_t RandomStream::bits(std::uint64_t index) const {
  return block(index / 4)[index % 4];
}

float RandomStream::uniform(std::uint64_t index) const {
  return static_cast<float>(bits(index) >> 8) * 0x1p-24F;
}

std::uint32_t RandomStream::below(std::uint32_t bound, std::uint64_t index) const {
  // Lemire's multiplication with 64 random bits.
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
