// Self-contained HTML pages: JSON data in a template, and base64.
#pragma once

#include <string>
#include <string_view>

#include "support/byte_reader.hpp"

namespace mnist {

/// `page` with "{{data}}" replaced by `json`, escaped for use in a script element.
std::string page_with_data(std::string_view page, std::string_view json);

/// Base64 (RFC 4648, with padding).
std::string base64(Bytes bytes);

}  // namespace mnist
