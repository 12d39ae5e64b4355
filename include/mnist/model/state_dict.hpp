// Named parameters in plain memory: what model files hold and what engines take and give.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mnist {

/// One parameter. Values are f32, last dimension fastest.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Parameters in the order of the network, as nn::Module::state_dict() has them.
using StateDict = std::vector<NamedTensor>;

/// "[256, 784]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace mnist
