// Options of any value survive a round trip through text and TOML.
#include "properties.hpp"

#include <bit>
#include <cmath>

#include "options/option_text.hpp"
#include "options/toml.hpp"
#include "options/train_option_table.hpp"

namespace mnist {
namespace {

double finite_number() {
  // Every bit pattern, and numbers as people write them.
  const auto bits = *rc::gen::arbitrary<std::uint64_t>();
  const double any = std::bit_cast<double>(bits);
  const double round = static_cast<double>(*rc::gen::inRange(-1000, 1000)) / 8;
  return *rc::gen::arbitrary<bool>() && std::isfinite(any) ? any : round;
}

template <class Value>
void draw(Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    value = static_cast<Value>(*rc::gen::inRange<std::size_t>(0, kEnumNames<Value>.size()));
  } else if constexpr (std::is_same_v<Value, double>) {
    value = finite_number();
  } else if constexpr (std::is_same_v<Value, std::string>) {
    value = *rc::gen::container<std::string>(rc::gen::inRange(' ', '\x7f'));
  } else if constexpr (std::is_same_v<Value, std::vector<double>>) {
    value.resize(*rc::gen::inRange<std::size_t>(0, 4));
    for (double& number : value) number = finite_number();
  } else if constexpr (std::is_same_v<Value, CheckpointInterval>) {
    value = {};
    if (*rc::gen::arbitrary<bool>()) {
      value.seconds = std::abs(finite_number());
    } else {
      value.steps = *rc::gen::arbitrary<std::int64_t>();
    }
  } else {
    value = *rc::gen::arbitrary<Value>();
  }
}

bool equal(const CheckpointInterval& a, const CheckpointInterval& b) {
  return a.steps == b.steps && a.seconds == b.seconds;
}
template <class Value>
bool equal(const Value& a, const Value& b) {
  return a == b;
}

TrainOptions any_options() {
  TrainOptions options;
  for_each_option(options, [](auto& value, const OptionInfo&) { draw(value); });
  return options;
}

PROPERTY(OptionProperties, TextComesBack) {
  const TrainOptions options = any_options();
  for_each_option(options, [](const auto& value, const OptionInfo& info) {
    std::decay_t<decltype(value)> read{};
    parse_option(option_text(value), read);
    if (!equal(read, value)) RC_FAIL(info.name + ": " + option_text(value));
  });
}

PROPERTY(OptionProperties, TomlComesBack) {
  const TrainOptions options = any_options();
  TrainOptions read;
  read_toml(to_toml(options), "config.toml", read);
  std::vector<std::string> before;
  for_each_option(options, [&](const auto& value, const OptionInfo& info) {
    before.push_back(info.name + " " + option_text(value));
  });
  std::size_t i = 0;
  for_each_option(read, [&](const auto& value, const OptionInfo& info) {
    RC_ASSERT(info.name + " " + option_text(value) == before[i++]);
  });
}

}  // namespace
}  // namespace mnist
