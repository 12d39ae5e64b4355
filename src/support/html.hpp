// What self-contained pages are made of: a template, and data as JSON within it.
#pragma once

#include <string>
#include <string_view>

#include "support/byte_reader.hpp"

namespace mnist {

/// The page that `page` is a template of: `json`, made safe to stand in a script element, takes
/// the place of "{{data}}".
std::string page_with_data(std::string_view page, std::string_view json);

/// Base64 (RFC 4648, with padding).
std::string base64(Bytes bytes);

}  // namespace mnist
