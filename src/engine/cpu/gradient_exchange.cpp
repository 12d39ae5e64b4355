// A reduce-scatter that adds in the order of the tree, and an all-gather.
#include "engine/cpu/gradient_exchange.hpp"

#include <algorithm>
#include <string>

#include "engine/cpu/layers.hpp"
#include "engine/cpu/pairwise.hpp"
#include "mnist/support/error.hpp"

namespace mnist {
namespace {

std::vector<PairwiseNode> nodes_of(std::size_t leaves, int rank, int size) {
  const Share own(leaves, 1, rank, size);
  return pairwise_nodes(own.begin, own.end);
}

/// The nodes of all processes, from left to right in the tree.
std::vector<PairwiseNode> nodes_of_all(std::size_t leaves, int size) {
  std::vector<PairwiseNode> all;
  for (int rank = 0; rank < size; ++rank) {
    const auto theirs = nodes_of(leaves, rank, size);
    all.insert(all.end(), theirs.begin(), theirs.end());
  }
  return all;
}

}  // namespace

GradientExchange::GradientExchange(Communicator& processes, std::size_t floats)
    : processes_(processes) {
  if (floats > kMaxExchange / sizeof(float)) {
    throw Error("a network of " + std::to_string(floats) +
                " parameters is too large to train by several processes, which exchange at most "
                "2 GiB at once; use a smaller --hidden, or one process");
  }
  for (int rank = 0; rank < processes.size(); ++rank) {
    parts_.push_back(Share(floats, kBlock, rank, processes.size()).begin * sizeof(float));
  }
  parts_.push_back(floats * sizeof(float));
}

void GradientExchange::reserve(std::size_t leaves) {
  const auto rank = static_cast<std::size_t>(processes_.rank());
  const std::size_t length = (parts_[rank + 1] - parts_[rank]) / sizeof(float);
  const std::size_t nodes = nodes_of_all(leaves, processes_.size()).size();
  received_.resize(std::max(received_.size(), nodes * length));
}

void GradientExchange::sum(std::size_t leaves, std::span<AlignedVector<float>> nodes) {
  const auto rank = static_cast<std::size_t>(processes_.rank());
  const std::size_t begin = parts_[rank] / sizeof(float);
  const std::size_t length = parts_[rank + 1] / sizeof(float) - begin;
  const std::vector<float*> terms = receive_parts(leaves, nodes);
  const auto additions = additions_of(nodes_of_all(leaves, processes_.size()));
  std::vector<float*> stack;
  for (std::size_t n = 0; n < terms.size(); ++n) {
    stack.push_back(terms[n]);
    for (std::size_t a = additions[n]; a > 0; --a) {
      const float* const top = stack.back();
      stack.pop_back();
      float* const sums = stack.back();
      for (std::size_t i = 0; i < length; ++i) sums[i] += top[i];
    }
  }
  std::copy_n(stack.at(0), length, nodes[0].data() + begin);
  processes_.all_gather({reinterpret_cast<std::byte*>(nodes[0].data()), parts_});
}

/// Receives this process's part of every node; returns where they are, from left to right in the
/// tree. A round exchanges one node of each process that has another one.
std::vector<float*> GradientExchange::receive_parts(std::size_t leaves,
                                                    std::span<AlignedVector<float>> nodes) {
  const auto rank = static_cast<std::size_t>(processes_.rank());
  const auto size = static_cast<std::size_t>(processes_.size());
  const std::size_t length = parts_[rank + 1] - parts_[rank];
  std::vector<std::size_t> counts;
  for (int r = 0; r < processes_.size(); ++r) {
    counts.push_back(nodes_of(leaves, r, processes_.size()).size());
  }
  const std::size_t rounds = *std::max_element(counts.begin(), counts.end());
  const std::vector<std::size_t> no_offsets(size + 1, 0);
  std::vector<std::vector<float*>> found(size);
  auto* target = reinterpret_cast<std::byte*>(received_.data());
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::size_t> offsets{0};
    for (std::size_t r = 0; r < size; ++r) {
      const bool has = round < counts[r];
      if (has) found[r].push_back(reinterpret_cast<float*>(target + offsets.back()));
      offsets.push_back(offsets.back() + (has ? length : 0));
    }
    const bool sends = round < counts[rank];
    processes_.all_to_all({sends ? reinterpret_cast<std::byte*>(nodes[round].data()) : nullptr,
                           sends ? parts_ : no_offsets},
                          {target, offsets});
    target += offsets.back();
  }
  std::vector<float*> in_order;
  for (const auto& theirs : found) in_order.insert(in_order.end(), theirs.begin(), theirs.end());
  return in_order;
}

}  // namespace mnist
