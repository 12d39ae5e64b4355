// Sums gradients over the processes of a run.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mnist/distributed/communicator.hpp"
#include "support/aligned.hpp"

namespace mnist {

/// The leaves of a minibatch's sum are shared out among the processes: each computes the nodes of
/// the tree that cover its own. Then process p receives the p-th part of every node, finishes the
/// tree for that part, and sends the sum to all. The additions are those of one process, so the
/// sum has the same bits; each process receives about two gradients, however many processes
/// there are.
class GradientExchange {
 public:
  /// `processes` must outlive it. `floats` is the length of a gradient.
  GradientExchange(Communicator& processes, std::size_t floats);

  /// `nodes` are the sums of this process's nodes; the first one, or `nodes[0]` if there is none,
  /// becomes the sum over all `leaves`.
  void sum(std::size_t leaves, std::span<AlignedVector<float>> nodes);

 private:
  void receive_parts(std::size_t leaves, std::span<AlignedVector<float>> nodes);

  Communicator& processes_;
  std::vector<std::size_t> parts_;  ///< bytes before the part of each process, and of all
  std::vector<float> received_;     ///< this process's part of all nodes, round by round
  std::vector<float*> in_order_;    ///< the same from left to right in the tree
};

}  // namespace mnist
