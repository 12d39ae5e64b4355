// Which implementation of the optimization step, and which optimizer.
#pragma once

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// kAuto is the fastest implementation that has been verified on the device at hand; kTorch is
/// LibTorch's autograd, the reference; kFused is this project's own kernels.
enum class EngineKind { kAuto, kTorch, kFused };
template <>
inline constexpr Names<3> kEnumNames<EngineKind>{"auto", "torch", "fused"};

/// Adam: Kingma and Ba 2015, with weight decay as an L2 penalty added to the gradient.
/// AdamW: Loshchilov and Hutter 2019, with weight decay decoupled from the gradient.
enum class Optimizer { kAdam, kAdamW };
template <>
inline constexpr Names<2> kEnumNames<Optimizer>{"adam", "adamw"};

}  // namespace mnist
