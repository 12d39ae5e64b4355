// Numbers are converted with std::from_chars and std::to_chars, which are exact and ignore the
// locale.
#include "options/option_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

[[noreturn]] void reject(std::string_view expected, std::string_view found) {
  throw UsageError("expected " + std::string(expected) + ", found '" + std::string(found) + "'");
}

template <class Number>
void parse_number(std::string_view text, Number& value, std::string_view expected) {
  Number parsed{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, parsed);
  if (error != std::errc{} || stopped != end) reject(expected, text);
  value = parsed;
}

template <class Number>
void parse_list(std::string_view text, std::vector<Number>& value, std::string_view expected) {
  std::vector<Number> parsed;
  if (text == "none") text = {};
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    Number number{};
    parse_number(text.substr(0, comma), number, expected);
    parsed.push_back(number);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) reject(expected, "");
  }
  value = std::move(parsed);
}

/// Levenshtein's: the insertions, deletions and substitutions that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> distances(b.size() + 1);  // from a[0, i) to each prefix of b
  std::iota(distances.begin(), distances.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = distances[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = distances[j + 1];
      distances[j + 1] = std::min({substituted, diagonal + 1, distances[j] + 1});
    }
  }
  return distances.back();
}

}  // namespace

void parse_option(std::string_view text, bool& value) {
  if (text != "true" && text != "false") reject("true or false", text);
  value = text == "true";
}

void parse_option(std::string_view text, std::int64_t& value) {
  parse_number(text, value, "a whole number");
}

void parse_option(std::string_view text, std::uint64_t& value) {
  parse_number(text, value, "a whole number from 0 to 2^64 - 1");
}

void parse_option(std::string_view text, double& value) {
  parse_number(text, value, "a number");
}

void parse_option(std::string_view text, std::vector<std::int64_t>& value) {
  parse_list(text, value, "comma-separated whole numbers");
}

void parse_option(std::string_view text, std::vector<double>& value) {
  parse_list(text, value, "comma-separated numbers");
}

void parse_option(std::string_view text, EngineKind& value) {
  if (text == "autograd") text = "torch";
  value = static_cast<EngineKind>(find_name(text, kEnumNames<EngineKind>));
}

void parse_option(std::string_view text, CheckpointInterval& value) {
  constexpr std::string_view kExpected = "a number of minibatches, or seconds as in 30s";
  CheckpointInterval parsed;
  if (text.ends_with('s')) {
    parse_number(text.substr(0, text.size() - 1), parsed.seconds, kExpected);
  } else {
    parse_number(text, parsed.steps, kExpected);
  }
  value = parsed;
}

template <class Number>
  requires std::is_arithmetic_v<Number>
std::string option_text(Number value) {
  if (value == 0) value = 0;  // drops the sign of -0.0: TOML reads -0 as the integer 0
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}
template std::string option_text(std::int64_t);
template std::string option_text(std::uint64_t);
template std::string option_text(double);

std::string option_text(const CheckpointInterval& value) {
  return value.seconds > 0 ? option_text(value.seconds) + 's' : option_text(value.steps);
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string>& names,
                         const std::string& prefix) {
  std::size_t least = std::min<std::size_t>(4, typed.size() / 2 + 1);
  const std::string* nearest = nullptr;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(typed, name);
    if (distance >= least) continue;
    least = distance;
    nearest = &name;
  }
  return nearest == nullptr ? "" : "; did you mean " + prefix + *nearest + "?";
}

std::size_t find_name(std::string_view text, std::span<const std::string_view> names) {
  std::string allowed;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return i;
    if (i > 0) allowed += i + 1 == names.size() ? " or " : ", ";
    allowed += names[i];
  }
  reject(allowed, text);
}

}  // namespace mnist
