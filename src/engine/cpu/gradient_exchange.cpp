// A reduce-scatter that adds in the order of the tree, and an all-gather.
#include "engine/cpu/gradient_exchange.hpp"

#include <algorithm>
#include <string>

#include "mnist/support/error.hpp"

namespace mnist {

int agreed_threads(int threads, const CpuKernels& kernels, Communicator& processes) {
  const auto columns = static_cast<std::int64_t>(kernels.slice_columns);
  if (processes.max(columns) != -processes.max(-columns)) {
    throw Error(
        "the CPUs of the processes have different instruction sets; use machines of one type, or "
        "an instruction set that all of them have, such as --cpu-target avx2");
  }
  return static_cast<int>(-processes.max(-threads));
}

GradientExchange::GradientExchange(Communicator& processes, std::size_t floats)
    : processes_(processes), own_(floats, kBlock, processes.rank(), processes.size()) {
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
  const std::size_t count = shared_nodes(leaves, processes_.size()).size();
  received_.resize(std::max(received_.size(), count * (own_.end - own_.begin)));
}

void GradientExchange::sum(std::size_t leaves, std::span<AlignedVector<float>> nodes) {
  const std::size_t length = own_.end - own_.begin;
  const std::vector<PairwiseNode> all = shared_nodes(leaves, processes_.size());
  const std::vector<float*> terms = receive_parts(all, nodes);
  const std::vector<std::size_t> additions = additions_of(all);
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
  std::copy_n(stack.at(0), length, nodes[0].data() + own_.begin);
  processes_.all_gather({reinterpret_cast<std::byte*>(nodes[0].data()), parts_});
}

/// Receives this process's part of all nodes; returns where they are, in the same order. A round
/// exchanges one node of each process that has another one.
std::vector<float*> GradientExchange::receive_parts(std::span<const PairwiseNode> all,
                                                    std::span<AlignedVector<float>> nodes) {
  const auto rank = static_cast<std::size_t>(processes_.rank());
  const auto size = static_cast<std::size_t>(processes_.size());
  std::vector<std::size_t> counts(size);
  for (const PairwiseNode& node : all) ++counts[static_cast<std::size_t>(node.part)];
  const std::size_t bytes = parts_[rank + 1] - parts_[rank];
  const std::size_t rounds = *std::max_element(counts.begin(), counts.end());
  const std::vector<std::size_t> no_offsets(size + 1, 0);
  std::vector<std::vector<float*>> found(size);
  auto* target = reinterpret_cast<std::byte*>(received_.data());
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::size_t> offsets{0};
    for (std::size_t r = 0; r < size; ++r) {
      const bool has = round < counts[r];
      if (has) found[r].push_back(reinterpret_cast<float*>(target + offsets.back()));
      offsets.push_back(offsets.back() + (has ? bytes : 0));
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
