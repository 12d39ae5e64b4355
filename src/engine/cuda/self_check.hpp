// The CUDA engine's self-check: its first losses must be those of a reference engine.
#pragma once

#include <cstdint>

#include "mnist/engine/engine.hpp"

namespace mnist {

/// Minibatches that check_against_reference() compares at most.
inline constexpr std::int64_t kSelfCheckSteps = 8;

/// Trains both engines on the first kSelfCheckSteps minibatches of `steps` and compares their
/// losses. Both must be newly made, with the same weights and options; discard both afterwards, as
/// they have been trained.
///
/// Throws Error that names the step and both losses where they differ by more than 1e-4 *
/// max(1, |reference loss|), or where the reference's is finite and the other is not. Nothing is
/// compared from the first loss on that is not finite in the reference: there the run diverges.
void check_against_reference(Engine& engine, Engine& reference, const Steps& steps);

}  // namespace mnist
