// A trained network with the facts that travel with it, and those facts as JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "mnist/model/mlp_shape.hpp"
#include "mnist/model/state_dict.hpp"

namespace mnist {

/// What a model file holds.
struct Model {
  MlpShape shape;
  StateDict parameters;
  std::vector<std::string> class_names;
  /// How it came to be: options, data, accuracy. Free in form; empty for a foreign model.
  nlohmann::ordered_json training;
};

/// The facts beside the parameters, as one JSON object:
/// `format` (1), `program`, `shape` (inputs, hidden, classes), `activation`, `class_names`,
/// `training`.
std::string info_text(const Model& model);

/// Puts parameters and facts together. `info` is the text that info_text wrote, or empty: then the
/// activation is ReLU and the classes are numbered. Throws Error that names `source` when the facts
/// are damaged or contradict the parameters.
Model make_model(StateDict parameters, const std::string& info, const std::string& source);

}  // namespace mnist
