// Options as text: one parser and one printer per type, used for flags, TOML and JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mnist/options/train_options.hpp"
#include "mnist/support/enum_names.hpp"

namespace mnist {

/// Parses `text` into `value`, independently of the locale. Throws UsageError "expected ...,
/// found ..." for malformed text.
inline void parse_option(std::string_view text, std::string& value) {
  value = text;
}
void parse_option(std::string_view text, bool& value);
void parse_option(std::string_view text, std::int64_t& value);
void parse_option(std::string_view text, std::uint64_t& value);
void parse_option(std::string_view text, double& value);
/// Comma-separated numbers, "0.1,0.25", or "none" for an empty list.
void parse_option(std::string_view text, std::vector<std::int64_t>& value);
void parse_option(std::string_view text, std::vector<double>& value);
/// The names of EngineKind, and "autograd", which kTorch was called before version 0.2.
void parse_option(std::string_view text, EngineKind& value);
/// A number of minibatches, "500", or of seconds, "30s".
void parse_option(std::string_view text, CheckpointInterval& value);

/// Text that parse_option() reads back to the same value.
inline std::string option_text(const std::string& value) {
  return value;
}
inline std::string option_text(bool value) {
  return value ? "true" : "false";
}
std::string option_text(const CheckpointInterval& value);

/// Instantiated for std::int64_t, std::uint64_t and double.
template <class Number>
  requires std::is_arithmetic_v<Number>
std::string option_text(Number value);

template <class Number>
std::string option_text(const std::vector<Number>& value) {
  std::string text;
  for (const Number number : value) {
    if (!text.empty()) text += ',';
    text += option_text(number);
  }
  return text.empty() ? "none" : text;
}

/// "; did you mean PREFIXNAME?" with the one of `names` that `typed` most likely misspells, or an
/// empty string when none is similar.
std::string did_you_mean(std::string_view typed, const std::vector<std::string>& names,
                         const std::string& prefix = "");

/// Index of `text` among `names`. Throws UsageError with the names allowed.
std::size_t find_name(std::string_view text, std::span<const std::string_view> names);

template <class Enum>
  requires std::is_enum_v<Enum>
void parse_option(std::string_view text, Enum& value) {
  value = static_cast<Enum>(find_name(text, kEnumNames<Enum>));
}

template <class Enum>
  requires std::is_enum_v<Enum>
std::string option_text(Enum value) {
  return std::string(name_of(value));
}

}  // namespace mnist
