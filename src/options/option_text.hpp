// Options as text: one parser and one printer a type, used by flags, TOML and JSON alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mnist/options/train_options.hpp"
#include "mnist/support/enum_names.hpp"

namespace mnist {

/// Reads `text` into `value`. Throws UsageError "expected ..., found ..." when it is not of the
/// type's form; numbers are read the same way in every locale.
void parse_option(std::string_view text, std::string& value);
void parse_option(std::string_view text, bool& value);
void parse_option(std::string_view text, std::int64_t& value);
void parse_option(std::string_view text, std::uint64_t& value);
void parse_option(std::string_view text, double& value);
/// Whole numbers with commas between them, "256,128", or "none" for an empty list.
void parse_option(std::string_view text, std::vector<std::int64_t>& value);
/// The same with numbers, "0.1,0.25".
void parse_option(std::string_view text, std::vector<double>& value);
/// A number of minibatches, "500", or of seconds, "30s".
void parse_option(std::string_view text, CheckpointInterval& value);

/// The text that parse_option reads back to the same value.
std::string option_text(const std::string& value);
std::string option_text(bool value);
std::string option_text(std::int64_t value);
std::string option_text(std::uint64_t value);
std::string option_text(double value);
std::string option_text(const std::vector<std::int64_t>& value);
std::string option_text(const std::vector<double>& value);
std::string option_text(const CheckpointInterval& value);

/// For messages: index of `text` among `names`, or UsageError with the names allowed.
std::size_t find_name(std::string_view text, const std::string_view* names, std::size_t count);

template <class Enum>
  requires std::is_enum_v<Enum>
void parse_option(std::string_view text, Enum& value) {
  const auto& names = EnumNames<Enum>::kNames;
  value = static_cast<Enum>(find_name(text, names.data(), names.size()));
}

template <class Enum>
  requires std::is_enum_v<Enum>
std::string option_text(Enum value) {
  return std::string(name_of(value));
}

}  // namespace mnist
