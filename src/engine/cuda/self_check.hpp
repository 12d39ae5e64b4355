// The CUDA engine's self-check: its first losses must be those of a reference engine.
#pragma once

#include <cstdint>

#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"

namespace mnist {

inline constexpr std::int64_t kSelfCheckSteps = 8;

/// Trains both engines on the first kSelfCheckSteps minibatches of a dataset of `examples` and
/// compares their losses. Both must be new, with the same weights and options; discard them
/// afterwards.
///
/// Throws Error that names the step and both losses where they differ by more than 1e-4 *
/// max(1, |reference loss|). Stops comparing at the reference's first loss that is not
/// finite: there the run diverges.
void check_against_reference(Engine& engine, Engine& reference, const TrainOptions& options,
                             std::int64_t examples);

}  // namespace mnist
