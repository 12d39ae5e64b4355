// Formatting and escaping; JSON with nlohmann/json.
#include "support/text.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace mnist {

std::string json_text(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

std::string fill_template(std::string_view text,
                          const std::map<std::string_view, std::string>& fields) {
  std::string filled;
  // One pass, so that fields may hold braces.
  for (std::size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{")) {
    const std::size_t close = text.find("}}", open);
    filled += text.substr(0, open);
    filled += fields.at(text.substr(open + 2, close - open - 2));
    text.remove_prefix(close + 2);
  }
  filled += text;
  return filled;
}

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

std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t i = std::ssize(digits) - 3; i > (number < 0 ? 1 : 0); i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace mnist
