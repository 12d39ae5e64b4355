// One scale for all weights of a tensor.
#include "report/weight_levels.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {

std::vector<std::int8_t> weight_levels(std::span<const float> weights) {
  float largest = 1e-30F;  // avoids dividing by zero
  for (const float value : weights) largest = std::max(largest, std::abs(value));
  std::vector<std::int8_t> levels;
  for (const float value : weights) {
    levels.push_back(static_cast<std::int8_t>(std::lround(127 * value / largest)));
  }
  return levels;
}

}  // namespace mnist
