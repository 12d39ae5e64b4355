// The metadata that a model file carries beside its tensors, as JSON.
#pragma once

#include <string>

#include "mnist/serialize/model_file.hpp"
#include "serialize/state_dict.hpp"

namespace mnist {

/// One JSON object: `format` (1), `program`, `shape` (inputs, hidden, classes), `activation`,
/// `class_names`, `training`.
std::string info_text(const Model& model);

/// Combines the tensors and the metadata of a file. `info` is text that info_text() wrote, or empty
/// in files of other programs: then the activation is ReLU and the classes are numbered from 0.
/// Throws Error that names `source` when the metadata are damaged or contradict the tensors.
Model make_model(StateDict tensors, const std::string& info, const std::string& source);

}  // namespace mnist
