// The forward pass in plain C++, for programs that need no LibTorch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mnist/model/mlp.hpp"

namespace mnist {

/// The logits [classes] for `inputs` [inputs]. Sums are taken in f64: closer to the exact result
/// than any engine's.
std::vector<float> forward(const Mlp& mlp, std::span<const float> inputs);

/// Probabilities [classes] from logits [classes].
std::vector<float> softmax(std::span<const float> logits);

/// Pixels 0 to 255 as network inputs 0 to 1.
std::vector<float> scaled_pixels(std::span<const std::uint8_t> image);

}  // namespace mnist
