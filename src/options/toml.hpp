// Training options as TOML (toml.io, version 1.0) and as JSON.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mnist/options/train_options.hpp"

namespace mnist {

/// All options with a comment each, readable by read_toml.
std::string to_toml(const TrainOptions& options);

/// Sets the options that `text` names, leaves the others. Throws UsageError with `source` and the
/// line for text that is not TOML, an unknown key, or a value of the wrong type.
void read_toml(const std::string& text, const std::string& source, TrainOptions& options);

/// Only the options that change what is learned, by their flag names.
nlohmann::ordered_json learning_options(const TrainOptions& options);

}  // namespace mnist
