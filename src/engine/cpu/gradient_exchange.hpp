// Sums gradients over the processes of a run.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/cpu/kernels.hpp"
#include "engine/cpu/pairwise.hpp"
#include "mnist/distributed/communicator.hpp"
#include "support/aligned.hpp"

namespace mnist {

/// The number of threads of each of `processes`: the smallest of their `threads`. Gradients are
/// laid out by thread and by what the kernels compute at once, and can be added only if both are
/// the same in all processes. Throws Error, in all of them, when the kernels differ. Collective.
int agreed_threads(int threads, const CpuKernels& kernels, Communicator& processes);

/// The leaves of a minibatch's sum are shared out among the processes: each computes the nodes of
/// the tree that cover its own. Then process p receives the p-th part of every node, finishes the
/// tree for that part, and sends the sum to all. The additions are those of one process, so the
/// sum has the same bits; each process receives about two gradients, however many processes
/// there are.
class GradientExchange {
 public:
  /// `processes` must outlive it. `floats` is the length of a gradient. Throws Error when it is too
  /// long to be exchanged.
  GradientExchange(Communicator& processes, std::size_t floats);

  /// Allocates what sum() needs for minibatches of `leaves`.
  void reserve(std::size_t leaves);

  /// `nodes` are the sums of this process's nodes. `nodes[0]`, which must exist even if there are
  /// none, becomes the sum over all `leaves`.
  void sum(std::size_t leaves, std::span<AlignedVector<float>> nodes);

 private:
  std::vector<float*> receive_parts(std::span<const PairwiseNode> all,
                                    std::span<AlignedVector<float>> nodes);

  Communicator& processes_;
  const Share own_;                 ///< the floats of this process's part
  std::vector<std::size_t> parts_;  ///< bytes before the part of each process, and of all
  std::vector<float> received_;     ///< this process's part of all nodes, round by round
};

}  // namespace mnist
