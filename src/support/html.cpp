// Escaping of JSON in HTML, and base64.
#include "support/html.hpp"

#include <algorithm>

#include "support/text_template.hpp"

namespace mnist {

std::string page_with_data(std::string_view page, std::string_view json) {
  std::string safe;
  for (const char letter : json) {
    // Data with "</script>" or "<!--" must not end the element.
    safe += letter == '<' ? std::string_view("\\u003c") : std::string_view(&letter, 1);
  }
  return fill_template(page, {{"data", safe}});
}

std::string base64(Bytes bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

}  // namespace mnist
