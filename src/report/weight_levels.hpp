// Weights as pixel values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mnist {

/// Weights scaled to i8, in the same order: the largest magnitude becomes 127 or -127, 0 stays 0.
std::vector<std::int8_t> weight_levels(std::span<const float> weights);

}  // namespace mnist
