// JSON as valid UTF-8 text.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace mnist {

/// `json` on one line, or pretty-printed with `indent` spaces. File and class names may hold any
/// bytes: invalid UTF-8 becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace mnist
