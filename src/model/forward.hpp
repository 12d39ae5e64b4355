// A network's answer for one image, in plain C++: for programs that need no LibTorch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mnist/model/mlp_shape.hpp"

namespace mnist {

/// The logits [classes] of a network of `shape` for `inputs` [inputs], with sums in f64: nearer to
/// the exact ones than any engine's. `parameters` are normalised.
std::vector<float> forward(const MlpShape& shape, const StateDict& parameters,
                           std::span<const float> inputs);

/// Probabilities [classes] from logits.
std::vector<float> softmax(std::span<const float> logits);

/// Pixels as a network takes them: 0 to 1.
std::vector<float> scaled_pixels(std::span<const std::uint8_t> image);

}  // namespace mnist
