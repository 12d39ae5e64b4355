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
#include "support/files.hpp"

namespace mnist {
namespace {

template <class Value>
constexpr bool kIsList =
    std::is_same_v<Value, std::vector<std::int64_t>> || std::is_same_v<Value, std::vector<double>>;

/// TOML's integers have 63 bits and a sign: a larger seed is a string, and a larger number that
/// happens to be whole gets a fraction.
std::string toml_number(std::uint64_t value) {
  const bool fits = std::in_range<std::int64_t>(value);
  return fits ? option_text(value) : '"' + option_text(value) + '"';
}
std::string toml_number(double value) {
  const std::string text = option_text(value);
  const bool whole = text.find_first_not_of("-0123456789") == std::string::npos;
  return whole && std::abs(value) >= 0x1p63 ? text + ".0" : text;
}

template <class Value>
std::string toml_value(const Value& value) {
  std::ostringstream text;
  if constexpr (std::is_enum_v<Value> || std::is_same_v<Value, CheckpointInterval> ||
                std::is_same_v<Value, std::string>) {
    text << toml::value<std::string>(option_text(value));
  } else if constexpr (kIsList<Value>) {
    text << '[' << (value.empty() ? "" : option_text(value)) << ']';
  } else if constexpr (std::is_same_v<Value, double> || std::is_same_v<Value, std::uint64_t>) {
    text << toml_number(value);
  } else {
    text << option_text(value);
  }
  return text.str();
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

/// Whether the TOML type fits the option: strings for names, bare values for the rest. A list of
/// one element may be a bare value, too.
template <class Value>
bool type_fits(const toml::node& node, const Value&) {
  if constexpr (std::is_same_v<Value, std::string> || std::is_enum_v<Value>) {
    return node.is_string();
  } else if constexpr (std::is_same_v<Value, CheckpointInterval>) {
    return node.is_string() || node.is_integer();
  } else if constexpr (kIsList<Value>) {
    return node.is_array() || node.is_number();
  } else if constexpr (std::is_same_v<Value, bool>) {
    return node.is_boolean();
  } else if constexpr (std::is_same_v<Value, double>) {
    return node.is_number();
  } else if constexpr (std::is_same_v<Value, std::uint64_t>) {
    return node.is_integer() || node.is_string();
  } else {
    return node.is_integer();
  }
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
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UsageError(source + ":" + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description()));
  }
  std::vector<std::string> known;
  for_each_option(options, [&](auto& value, const OptionInfo& info) {
    known.emplace_back(info.name);
    const toml::node* node = table.get(info.name);
    if (node == nullptr) return;
    const std::string place =
        source + ":" + std::to_string(node->source().begin.line) + ": " + info.name + ": ";
    try {
      const std::string found = node_text(*node);
      if (!type_fits(*node, value)) throw UsageError("'" + found + "' has the wrong type");
      parse_option(found, value);
    } catch (const UsageError& error) {
      throw UsageError(place + error.what());
    }
    table.erase(info.name);
  });
  if (table.empty()) return;
  const auto first = table.cbegin();
  const std::string key(first->first.str());
  throw UsageError(source + ":" + std::to_string(first->second.source().begin.line) +
                   ": unknown option '" + key + "'" + did_you_mean(key, known));
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
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_enum_v<Value> || std::is_same_v<Value, CheckpointInterval>) {
      json[info.name] = option_text(value);
    } else {
      json[info.name] = value;
    }
  });
  return json;
}

}  // namespace mnist
