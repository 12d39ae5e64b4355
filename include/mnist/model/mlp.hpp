// A multilayer perceptron in plain memory: what engines train, files store and evaluations run.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist/model/activation.hpp"

namespace mnist {

/// The widths of a network: inputs -> hidden[0] -> ... -> classes, with an activation after each
/// hidden layer.
struct MlpShape {
  std::int64_t inputs = 784;
  std::vector<std::int64_t> hidden{256, 128};
  std::int64_t classes = 10;
  Activation activation = Activation::kRelu;

  /// All widths from the inputs to the classes.
  std::vector<std::int64_t> widths() const;

  bool operator==(const MlpShape&) const = default;
};

/// "784-256-128-10 (relu)"; "784-10" without hidden layers.
std::string to_string(const MlpShape& shape);

/// The side length in pixels of the square images that a network of this shape takes. Throws Error
/// that names `source` when its inputs do not form a square.
std::int64_t image_side(const MlpShape& shape, const std::string& source);

/// One row of the parameter table.
struct ParameterInfo {
  std::string name;  ///< as in nn::Sequential's state dict: "0.weight", "0.bias", "2.weight", ...
  std::vector<std::int64_t> shape;
  std::int64_t count = 0;
};

/// The parameters of a network of this shape, in the order of its state dict.
std::vector<ParameterInfo> parameter_table(const MlpShape& shape);

/// The number of trainable parameters.
std::int64_t parameter_count(const MlpShape& shape);

/// A linear layer: y = weight x + bias, all f32.
struct Linear {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::vector<float> weight;  ///< [outputs, inputs], row-major
  std::vector<float> bias;    ///< [outputs]

  bool operator==(const Linear&) const = default;
};

/// A network with its parameters. Gradients and optimizer moments have the same form.
struct Mlp {
  std::vector<Linear> layers;  ///< at least one; the outputs of each are the inputs of the next
  Activation activation = Activation::kRelu;

  MlpShape shape() const;

  bool operator==(const Mlp&) const = default;
};

/// A network of this shape with all parameters 0.
Mlp zero_mlp(const MlpShape& shape);

/// All parameters in one array, in the order of the state dict: weight then bias of each layer.
std::vector<float> flatten(const Mlp& mlp);

/// The inverse of flatten(). `values` has parameter_count(shape) elements.
Mlp unflatten(const MlpShape& shape, std::span<const float> values);

/// The parameters at the start of training: a pure function of the arguments.
/// - kPytorch: nn.Linear's default; weights and biases uniform in +-1/sqrt(inputs of the layer).
/// - kHe: weights normal with variance 2 / (inputs of the layer), biases 0 (He et al. 2015).
Mlp initial_parameters(const MlpShape& shape, std::uint64_t seed,
                       Initialization initialization = Initialization::kPytorch);

}  // namespace mnist
