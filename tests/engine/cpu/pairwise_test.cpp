// Pairwise sums have the same bits, whoever adds up which leaves.
#include "engine/cpu/pairwise.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "support/random.hpp"

namespace mnist {
namespace {

std::vector<float> random_leaves(std::size_t count) {
  const RandomStream random(1, RandomPurpose::kInitialization, 0);
  std::vector<float> leaves(count);
  for (std::size_t i = 0; i < count; ++i) leaves[i] = random.uniform(i) - 0.5F;
  return leaves;
}

/// The sum of leaves begin .. end - 1: of halves, of which the left one is the larger power of two.
float recursive_sum(const std::vector<float>& leaves, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return leaves[begin];
  const std::size_t middle = begin + std::bit_ceil(end - begin) / 2;
  return recursive_sum(leaves, begin, middle) + recursive_sum(leaves, middle, end);
}

float stack_sum(const std::vector<float>& leaves) {
  std::vector<float> stack;
  for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
    EXPECT_EQ(stack.size(), depth_before(leaf));
    stack.push_back(leaves[leaf]);
    const bool last = leaf + 1 == leaves.size();
    for (std::size_t n = last ? stack.size() - 1 : additions_after(leaf); n > 0; --n) {
      const float top = stack.back();
      stack.pop_back();
      stack.back() += top;
    }
  }
  return stack.at(0);
}

TEST(Pairwise, AddsHalvesOfHalves) {
  for (std::size_t count = 1; count <= 40; ++count) {
    const auto leaves = random_leaves(count);
    EXPECT_EQ(stack_sum(leaves), recursive_sum(leaves, 0, count)) << count;
  }
}

TEST(Pairwise, NodesOfAnyNumberOfThreadsGiveTheSameSum) {
  for (std::size_t count = 1; count <= 40; ++count) {
    const auto leaves = random_leaves(count);
    for (int threads = 1; threads <= 17; ++threads) {
      const std::vector<PairwiseNode> nodes = shared_nodes(count, threads);
      const auto additions = additions_of(nodes);
      std::vector<float> stack;
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto [begin, size, part] = nodes[i];
        EXPECT_EQ(begin % size, 0U);
        stack.push_back(recursive_sum(leaves, begin, begin + size));
        for (std::size_t n = additions[i]; n > 0; --n) {
          const float top = stack.back();
          stack.pop_back();
          stack.back() += top;
        }
      }
      ASSERT_EQ(stack.size(), 1U);
      EXPECT_EQ(stack[0], recursive_sum(leaves, 0, count)) << count << ", " << threads;
    }
  }
}

TEST(Pairwise, LeavesAreAtMostSixteen) {
  EXPECT_EQ(leaf_size(256, 16, 32), 32U);
  EXPECT_EQ(leaf_size(208, 16, 32), 32U);
  EXPECT_EQ(leaf_size(2048, 16, 32), 128U);
  EXPECT_EQ(leaf_size(784, 16, 32), 64U);
  EXPECT_EQ(leaf_size(60000, 32, 256), 3776U);
}

}  // namespace
}  // namespace mnist
