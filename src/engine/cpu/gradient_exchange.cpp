// A reduce-scatter that adds in the order of the tree, and an all-gather.
#include "engine/cpu/gradient_exchange.hpp"

#include <algorithm>

#include "engine/cpu/layers.hpp"
#include "engine/cpu/pairwise.hpp"

namespace mnist {
namespace {

std::vector<PairwiseNode> nodes_of(std::size_t leaves, int rank, int size) {
  const Share own(leaves, 1, rank, size);
  return pairwise_nodes(own.begin, own.end);
}

}  // namespace

GradientExchange::GradientExchange(Communicator& processes, std::size_t floats)
    : processes_(processes) {
  for (int rank = 0; rank < processes.size(); ++rank) {
    parts_.push_back(Share(floats, kBlock, rank, processes.size()).begin * sizeof(float));
  }
  parts_.push_back(floats * sizeof(float));
}

void GradientExchange::sum(std::size_t leaves, std::span<AlignedVector<float>> nodes) {
  receive_parts(leaves, nodes);
  const auto rank = static_cast<std::size_t>(processes_.rank());
  const std::size_t begin = parts_[rank] / sizeof(float);
  const std::size_t length = parts_[rank + 1] / sizeof(float) - begin;
  std::vector<PairwiseNode> all;
  for (int r = 0; r < processes_.size(); ++r) {
    const auto theirs = nodes_of(leaves, r, processes_.size());
    all.insert(all.end(), theirs.begin(), theirs.end());
  }
  const std::vector<std::size_t> additions = additions_of(all);
  std::vector<float*> stack;
  for (std::size_t n = 0; n < all.size(); ++n) {
    stack.push_back(in_order_[n]);
    for (std::size_t a = additions[n]; a > 0; --a) {
      const float* const terms = stack.back();
      stack.pop_back();
      float* const sums = stack.back();
      for (std::size_t i = 0; i < length; ++i) sums[i] += terms[i];
    }
  }
  std::copy_n(stack.at(0), length, nodes[0].data() + begin);
  processes_.all_gather({reinterpret_cast<std::byte*>(nodes[0].data()), parts_});
}

/// Receives this process's part of every node. A round exchanges one node of each process that has
/// another one.
void GradientExchange::receive_parts(std::size_t leaves, std::span<AlignedVector<float>> nodes) {
  const auto rank = static_cast<std::size_t>(processes_.rank());
  const auto size = static_cast<std::size_t>(processes_.size());
  const std::size_t length = parts_[rank + 1] - parts_[rank];
  std::vector<std::size_t> counts;
  for (int r = 0; r < processes_.size(); ++r) {
    counts.push_back(nodes_of(leaves, r, processes_.size()).size());
  }
  const std::size_t rounds = *std::max_element(counts.begin(), counts.end());
  received_.resize(std::max(received_.size(), leaves * length / sizeof(float)));
  std::vector<std::vector<float*>> found(size);
  auto* target = reinterpret_cast<std::byte*>(received_.data());
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::size_t> offsets{0};
    for (std::size_t r = 0; r < size; ++r) {
      const bool has = round < counts[r];
      if (has) found[r].push_back(reinterpret_cast<float*>(target + offsets.back()));
      offsets.push_back(offsets.back() + (has ? length : 0));
    }
    const std::vector<std::size_t> nothing(size + 1, 0);
    const bool sends = round < counts[rank];
    processes_.all_to_all({sends ? reinterpret_cast<std::byte*>(nodes[round].data()) : nullptr,
                           sends ? std::span<const std::size_t>(parts_) : nothing},
                          {target, offsets});
    target += offsets.back();
  }
  in_order_.clear();
  for (const auto& theirs : found) in_order_.insert(in_order_.end(), theirs.begin(), theirs.end());
}

}  // namespace mnist
