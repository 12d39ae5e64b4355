// Pairwise summation: one order of additions, however the terms are shared out among threads and
// processes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "mnist/support/part.hpp"
#include "support/aligned.hpp"

namespace mnist {

/// The range of `count` items that belongs to one of `parts` threads or processes, in multiples of
/// `unit`.
struct Share {
  Share(std::size_t count, std::size_t unit, int part, int parts) {
    const std::size_t units = divide_up(count, unit);
    const Part own{static_cast<std::uint64_t>(part), static_cast<std::uint64_t>(parts)};
    begin = std::min(own.begin(units) * unit, count);
    end = std::min(own.end(units) * unit, count);
  }
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A sum is cut into at most this many leaves, which threads compute side by side.
inline constexpr std::size_t kMaxLeaves = 16;

/// The length of a leaf of a sum of `count` terms: a multiple of `unit`, at least `smallest`.
inline std::size_t leaf_size(std::size_t count, std::size_t unit, std::size_t smallest) {
  return std::max(smallest, round_up(divide_up(count, kMaxLeaves), unit));
}

/// A node of the tree over the leaves of a sum: leaves begin .. begin + count - 1, where `count` is
/// a power of two and `begin` a multiple of it.
struct PairwiseNode {
  std::size_t begin = 0;
  std::size_t count = 0;
  int part = 0;  ///< the thread or process that computes it
};

/// The fewest nodes that cover leaves begin .. end - 1, from left to right.
inline std::vector<PairwiseNode> pairwise_nodes(std::size_t begin, std::size_t end) {
  std::vector<PairwiseNode> nodes;
  while (begin < end) {
    std::size_t count = std::bit_floor(end - begin);
    while (begin % count != 0) count /= 2;
    nodes.push_back({begin, count});
    begin += count;
  }
  return nodes;
}

/// The nodes of `parts` threads or processes, each of which covers its share of the leaves.
inline std::vector<PairwiseNode> shared_nodes(std::size_t leaves, int parts) {
  std::vector<PairwiseNode> nodes;
  for (int part = 0; part < parts; ++part) {
    const Share share(leaves, 1, part, parts);
    for (PairwiseNode node : pairwise_nodes(share.begin, share.end)) {
      node.part = part;
      nodes.push_back(node);
    }
  }
  return nodes;
}

/// Sums of leaves are pushed on a stack, leaf 0 first. After leaf `leaf`, the top is added to the
/// one below this many times; after the last leaf, until one is left.
inline std::size_t additions_after(std::size_t leaf) {
  return static_cast<std::size_t>(std::countr_one(leaf));
}

/// The depth of the stack before leaf `leaf` is pushed.
inline std::size_t depth_before(std::size_t leaf) {
  return static_cast<std::size_t>(std::popcount(leaf));
}

/// The same for a stack of nodes that cover all leaves from left to right: entry i is the number of
/// additions after node i. The result has the bits of the sum by leaves.
inline std::vector<std::size_t> additions_of(const std::vector<PairwiseNode>& nodes) {
  std::vector<std::size_t> additions;
  std::size_t depth = 0;
  for (const PairwiseNode& node : nodes) {
    const std::size_t end = node.begin + node.count;
    additions.push_back(additions_after(end - 1) - additions_after(node.count - 1));
    depth += 1 - additions.back();
  }
  if (!nodes.empty()) additions.back() += depth - 1;
  return additions;
}

}  // namespace mnist
