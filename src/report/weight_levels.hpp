// Weights as pictures.
#pragma once

#include <cstdint>
#include <vector>

#include "mnist/model/state_dict.hpp"

namespace mnist {

/// Weights as levels of the largest, i8 of the same shape: 127 is the largest of all, 0 is 0.
std::vector<std::int8_t> weight_levels(const NamedTensor& weights);

}  // namespace mnist
