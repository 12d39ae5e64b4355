// State dicts: parameters under the names that they have in nn::Sequential and in files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist/model/mlp.hpp"

namespace mnist {

/// One parameter: f32 values, row-major.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Parameters in the order of the file; ours have the order of nn::Module::state_dict().
using StateDict = std::vector<NamedTensor>;

/// The parameters of `mlp`, named as parameter_table() does.
StateDict to_state_dict(const Mlp& mlp);

/// The network that a state dict describes: pairs of "LAYER.weight" [out, in] and "LAYER.bias"
/// [out], whatever the layers are called, ordered by the number in their names when all have one.
/// A state dict does not store the activation, so it is passed in. Throws Error that names
/// `source` and the tensor when one is missing, left over, or does not fit its neighbour.
Mlp to_mlp(StateDict state, Activation activation, const std::string& source);

/// "[256, 784]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace mnist
