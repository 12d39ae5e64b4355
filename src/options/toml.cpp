// TOML through toml++, JSON through nlohmann.
#include "options/toml.hpp"

#include <cmath>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>
#include <toml++/toml.h>

#include "mnist/support/error.hpp"
#include "options/option_text.hpp"
#include "options/train_option_table.hpp"
#include "support/bytes.hpp"
#include "support/files.hpp"

namespace mnist {
namespace {

template <class Value>
constexpr bool kIsList =
    std::is_same_v<Value, std::vector<std::int64_t>> || std::is_same_v<Value, std::vector<double>>;

/// Whether TOML and JSON hold the option as a string.
template <class Value>
constexpr bool kIsString = std::is_same_v<Value, std::string> || std::is_enum_v<Value> ||
                           std::is_same_v<Value, CheckpointInterval>;

template <class Value>
std::string toml_value(const Value& value) {
  const std::string text = option_text(value);
  if constexpr (kIsString<Value>) {
    std::ostringstream quoted;
    quoted << toml::value<std::string>(text);
    return quoted.str();
  } else if constexpr (kIsList<Value>) {
    return value.empty() ? "[]" : '[' + text + ']';
  } else if constexpr (std::is_same_v<Value, std::uint64_t>) {
    // TOML's integers have 63 bits and a sign.
    return std::in_range<std::int64_t>(value) ? text : '"' + text + '"';
  } else if constexpr (std::is_same_v<Value, double>) {
    const bool reads_as_integer = text.find_first_not_of("-0123456789") == std::string::npos;
    return reads_as_integer && std::abs(value) >= 0x1p63 ? text + ".0" : text;
  } else {
    return text;
  }
}

/// A TOML node as text for parse_option(); array elements are separated by commas.
std::string node_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* array = node.as_array()) {
    std::string joined;
    for (const toml::node& element : *array) {
      if (!joined.empty()) joined += ',';
      joined += node_text(element);
    }
    return joined.empty() ? "none" : joined;
  }
  if (const auto* number = node.as_integer()) return option_text(number->get());
  if (const auto* number = node.as_floating_point()) return option_text(number->get());
  if (const auto* flag = node.as_boolean()) return option_text(flag->get());
  throw UsageError("expected a number, a string, true, false or a list");
}

/// Whether the TOML type fits the option. A list of one number may be the bare number.
template <class Value>
bool type_fits(const toml::node& node, const Value&) {
  if constexpr (kIsList<Value>) return node.is_array() || node.is_number();
  if (node.is_string()) return kIsString<Value> || std::is_same_v<Value, std::uint64_t>;
  if (node.is_boolean()) return std::is_same_v<Value, bool>;
  if (node.is_floating_point()) return std::is_same_v<Value, double>;
  if (!node.is_integer()) return false;
  constexpr bool kIsNumber = std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>;
  return kIsNumber || std::is_same_v<Value, CheckpointInterval>;
}

}  // namespace

std::string to_toml(const TrainOptions& options) {
  std::string text;
  std::string group;
  for_each_option(options, [&](const auto& value, const OptionInfo& info) {
    if (group != info.group) {
      if (!group.empty()) text += '\n';
      group = info.group;
    }
    text += info.name + " = " + toml_value(value) + "  # " + info.help + '\n';
  });
  return text;
}

void read_toml(const std::string& text, const std::string& source, TrainOptions& options) {
  const auto place = [&](const toml::source_region& region) {
    return source + ":" + std::to_string(region.begin.line);
  };
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UsageError(place(error.source()) + ": " + std::string(error.description()));
  }
  std::vector<std::string> known;
  for_each_option(options, [&](auto& value, const OptionInfo& info) {
    known.push_back(info.name);
    const toml::node* node = table.get(info.name);
    if (node == nullptr) return;
    with_source<UsageError>(place(node->source()) + ": " + info.name, [&] {
      const std::string found = node_text(*node);
      if (!type_fits(*node, value)) throw UsageError("'" + found + "' has the wrong type");
      parse_option(found, value);
    });
    table.erase(info.name);
  });
  if (table.empty()) return;
  const auto unknown = table.cbegin();
  const std::string name(unknown->first.str());
  throw UsageError(place(unknown->second.source()) + ": unknown option '" + name + "'" +
                   did_you_mean(name, known));
}

void read_toml_file(const std::string& path, TrainOptions& options) {
  constexpr std::uint64_t kMaxConfigSize = 1 << 20;
  std::vector<std::uint8_t> bytes;
  try {
    bytes = read_whole_file(path, kMaxConfigSize);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  read_toml({bytes.begin(), bytes.end()}, path, options);
}

nlohmann::ordered_json learning_options(const TrainOptions& options) {
  nlohmann::ordered_json json;
  for_each_option(options, [&](const auto& value, const OptionInfo& info) {
    if (info.scope != OptionScope::kLearning) return;
    if constexpr (kIsString<std::decay_t<decltype(value)>>) {
      json[info.name] = option_text(value);
    } else {
      json[info.name] = value;
    }
  });
  return json;
}

}  // namespace mnist
