// Text for files and users: JSON, templates with named fields, pages with data, base64, numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "support/bytes.hpp"

namespace mnist {

/// `json` on one line, or pretty-printed with `indent` spaces. File and class names may hold any
/// bytes: invalid UTF-8 becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

/// `text` with each "{{name}}" replaced by the field of that name. Throws std::out_of_range for a
/// name without a field, which is a bug in the template.
std::string fill_template(std::string_view text,
                          const std::map<std::string_view, std::string>& fields);

/// `page` with "{{data}}" replaced by `json`, escaped for use in a script element.
std::string page_with_data(std::string_view page, std::string_view json);

/// Base64 (RFC 4648, with padding).
std::string base64(Bytes bytes);

/// 235146 as "235,146".
std::string with_thousands(std::int64_t number);

/// "1 thread", "2 threads".
std::string counted(std::int64_t count, const std::string& noun);

}  // namespace mnist
