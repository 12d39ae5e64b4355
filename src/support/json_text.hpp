// JSON as text that any reader takes.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace mnist {

/// `json` in one line, or with lines indented by `indent` spaces. Names of files and classes may
/// hold any bytes; what is not UTF-8 in them is replaced.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace mnist
