// Training options as TOML (toml.io, version 1.0) and as JSON.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mnist/options/train_options.hpp"

namespace mnist {

/// All options, each with its help line as a comment; read_toml() reads it back.
std::string to_toml(const TrainOptions& options);

/// Sets the options that `text` names and leaves the others. Throws UsageError with `source` and
/// the line number for invalid TOML, an unknown key, or a value of the wrong type.
void read_toml(const std::string& text, const std::string& source, TrainOptions& options);

/// The same with the text of a file. Throws UsageError, too, if it cannot be read.
void read_toml_file(const std::string& path, TrainOptions& options);

/// The options that change the trained parameters, by flag name.
nlohmann::ordered_json learning_options(const TrainOptions& options);

}  // namespace mnist
