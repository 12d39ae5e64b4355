// Weights in eight bits: a quarter of the memory, for devices that have little.
#include "model/quantise.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {

QuantisedWeights quantise(const NamedTensor& weights) {
  constexpr float kLargest = 127;
  const auto rows = static_cast<std::size_t>(weights.shape.at(0));
  const auto columns = static_cast<std::size_t>(weights.shape.at(1));
  QuantisedWeights quantised;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto begin = weights.values.begin() + static_cast<std::ptrdiff_t>(row * columns);
    float largest = 0;
    std::for_each(begin, begin + static_cast<std::ptrdiff_t>(columns),
                  [&](float value) { largest = std::max(largest, std::abs(value)); });
    const float scale = largest > 0 ? largest / kLargest : 1;
    quantised.scales.push_back(scale);
    for (std::size_t column = 0; column < columns; ++column) {
      const float value = std::round(weights.values[row * columns + column] / scale);
      quantised.values.push_back(static_cast<std::int8_t>(std::clamp(value, -kLargest, kLargest)));
    }
  }
  return quantised;
}

StateDict through_int8(StateDict parameters) {
  for (std::size_t i = 0; i < parameters.size(); i += 2) {
    const QuantisedWeights quantised = quantise(parameters[i]);
    std::vector<float>& values = parameters[i].values;
    const std::size_t columns = values.size() / quantised.scales.size();
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = static_cast<float>(quantised.values[k]) * quantised.scales[k / columns];
    }
  }
  return parameters;
}

}  // namespace mnist
