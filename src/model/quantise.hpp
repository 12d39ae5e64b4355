// Weights in eight bits: a quarter of the memory, for devices that have little.
#pragma once

#include <cstdint>
#include <vector>

#include "mnist/model/state_dict.hpp"

namespace mnist {

/// A weight matrix in eight bits: value = integer * scale of its row.
struct QuantisedWeights {
  std::vector<std::int8_t> values;  ///< [out, in], -127 to 127
  std::vector<float> scales;        ///< [out]
};

/// The nearest integers, with a scale for each row that makes its largest weight 127.
QuantisedWeights quantise(const NamedTensor& weights);

/// `parameters` (normalised) with their weights as they come back from eight bits.
StateDict through_int8(StateDict parameters);

}  // namespace mnist
