// The shape of a multilayer perceptron, and the table of parameters that follows from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mnist/model/activation.hpp"
#include "mnist/model/state_dict.hpp"

namespace mnist {

/// inputs -> hidden[0] -> ... -> classes, an activation after each hidden layer.
struct MlpShape {
  std::int64_t inputs = 784;
  std::vector<std::int64_t> hidden{256, 128};
  std::int64_t classes = 10;
  Activation activation = Activation::kRelu;

  /// All widths from the inputs to the classes.
  std::vector<std::int64_t> widths() const;

  bool operator==(const MlpShape&) const = default;
};

/// "784-256-128-10 (relu)"; without hidden layers just "784-10".
std::string to_string(const MlpShape& shape);

/// The side of the square images that a network of this shape takes. Throws Error that names
/// `source` when its inputs are no square image.
std::int64_t image_side(const MlpShape& shape, const std::string& source);

/// One row of the parameter table.
struct ParameterInfo {
  std::string name;  ///< as nn::Sequential numbers it: "0.weight", "0.bias", "2.weight", ...
  std::vector<std::int64_t> shape;
  std::int64_t count = 0;
};

/// The parameters of a network of this shape, in the order of its state dict.
std::vector<ParameterInfo> parameter_table(const MlpShape& shape);

/// How many numbers the network learns.
std::int64_t parameter_count(const MlpShape& shape);

/// Makes a state dict from anywhere ours: finds the pairs "LAYER.weight" [out, in] and "LAYER.bias"
/// [out], whatever the layers are called, puts them in order (by the number in their names when all
/// have one), and renames them as parameter_table does. Throws Error that names `source` and the
/// tensor when something is missing, left over, or does not fit its neighbour.
StateDict normalise_state_dict(StateDict state, const std::string& source);

/// The shape that a normalised state dict has; the activation is not in it.
MlpShape shape_of(const StateDict& state, Activation activation);

/// Where training starts: a pure function of its arguments.
/// - pytorch: nn.Linear's default; weights and biases uniform in +-1/sqrt(inputs of the layer).
/// - he: weights normal with variance 2/(inputs of the layer), biases 0 (He et al. 2015).
StateDict initial_parameters(const MlpShape& shape, std::uint64_t seed,
                             Initialisation initialisation = Initialisation::kPytorch);

}  // namespace mnist
