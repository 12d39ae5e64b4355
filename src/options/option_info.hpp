// One row of an option table: everything about an option except its value.
#pragma once

#include <concepts>
#include <type_traits>

namespace mnist {

/// Whether an option changes the trained parameters, or only where and how the program runs. Model
/// files store the former alone, so that the same training gives the same bytes everywhere.
enum class OptionScope { kLearning, kRuntime };

/// `name` is the flag without its dashes and the key in TOML.
struct OptionInfo {
  const char* name;
  const char* value_name;  ///< placeholder in --help, such as "DIR"; empty for a switch
  const char* help;
  const char* group;
  OptionScope scope = OptionScope::kRuntime;
  const char* environment = "";  ///< environment variable that sets the default, or ""
};

/// Selects a program's table: `Self` is `Options` or const `Options`.
template <class Self, class Options>
concept OptionsOf = std::same_as<std::remove_const_t<Self>, Options>;

}  // namespace mnist
