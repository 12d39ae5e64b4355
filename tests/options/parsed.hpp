// Parses the text of an option in tests.
#pragma once

#include <string_view>

#include "options/option_text.hpp"

namespace mnist {

template <class Value>
Value parsed(std::string_view text) {
  Value value{};
  parse_option(text, value);
  return value;
}

}  // namespace mnist
