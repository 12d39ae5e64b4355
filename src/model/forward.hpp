// The forward pass in plain C++, for programs that need no LibTorch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mnist/model/mlp.hpp"

namespace mnist {

/// The logits [classes] of an image [inputs], whose pixels are scaled to 0 to 1. Sums are taken in
/// f64: closer to the exact result than any engine's.
std::vector<float> forward(const Mlp& mlp, std::span<const std::uint8_t> image);

/// Probabilities [classes] from logits [classes].
std::vector<float> softmax(std::span<const float> logits);

}  // namespace mnist
