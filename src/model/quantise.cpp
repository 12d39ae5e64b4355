// Symmetric quantisation, row by row.
#include "model/quantise.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace mnist {

QuantisedWeights quantise(const Linear& layer) {
  constexpr float kMax = 127;
  const auto inputs = static_cast<std::size_t>(layer.inputs);
  QuantisedWeights quantised;
  for (std::size_t begin = 0; begin < layer.weight.size(); begin += inputs) {
    const auto row = std::span(layer.weight).subspan(begin, inputs);
    float largest = 0;
    for (const float weight : row) largest = std::max(largest, std::abs(weight));
    const float scale = largest > 0 ? largest / kMax : 1;
    quantised.scales.push_back(scale);
    for (const float weight : row) {
      const float value = std::clamp(std::round(weight / scale), -kMax, kMax);
      quantised.values.push_back(static_cast<std::int8_t>(value));
    }
  }
  return quantised;
}

Mlp through_int8(Mlp mlp) {
  for (Linear& layer : mlp.layers) {
    const QuantisedWeights quantised = quantise(layer);
    const auto inputs = static_cast<std::size_t>(layer.inputs);
    for (std::size_t i = 0; i < layer.weight.size(); ++i) {
      layer.weight[i] = static_cast<float>(quantised.values[i]) * quantised.scales[i / inputs];
    }
  }
  return mlp;
}

}  // namespace mnist
