// Weights in eight bits: a quarter of the memory, for devices that have little.
#pragma once

#include <cstdint>
#include <vector>

#include "mnist/model/mlp.hpp"

namespace mnist {

/// A weight matrix in eight bits: value = integer * scale of its row.
struct QuantisedWeights {
  std::vector<std::int8_t> values;  ///< [outputs, inputs], -127 to 127
  std::vector<float> scales;        ///< [outputs]
};

/// The nearest integers, with a scale for each row that makes its largest weight 127.
QuantisedWeights quantise(const Linear& layer);

/// `mlp` with its weights rounded to eight bits and converted back; biases stay f32.
Mlp through_int8(Mlp mlp);

}  // namespace mnist
