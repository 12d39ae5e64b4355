// How many CPU threads the engines use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "support/machine.hpp"

namespace mnist {

/// Measured at minibatches of 32: more of LibTorch's threads cost as much in synchronization as
/// they compute.
inline constexpr int kMaxLibtorchThreads = 4;

/// Measured up to 2. With more than 8, some threads of the fused engine would have no unit of the
/// guide's first hidden layer: 256 units in leaves of 32 (see engine/cpu/pairwise.hpp).
inline constexpr int kMaxFusedThreads = 8;

/// The number of threads for --threads. 0 means the number in OMP_NUM_THREADS, which cluster
/// schedulers and PyTorch users set; without it, one thread per core, but at most `max_default`.
inline int thread_count(std::int64_t requested, int max_default) {
  if (requested > 0) return static_cast<int>(requested);
  const char* variable = std::getenv("OMP_NUM_THREADS");
  const int set = variable == nullptr ? 0 : std::atoi(variable);
  return set > 0 ? std::min(set, kMaxThreads) : std::min(available_cores(), max_default);
}

}  // namespace mnist
