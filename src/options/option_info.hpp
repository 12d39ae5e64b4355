// What is known of an option besides its value; the rows of the option tables.
#pragma once

#include <concepts>
#include <type_traits>

namespace mnist {

/// Whether an option changes what is learned, or only where and how the work is done. A model file
/// carries the former alone, so that the same training gives the same bytes anywhere.
enum class OptionScope { kLearning, kPlace };

/// One row of an option table. `name` is the flag without its dashes and the key in TOML.
struct OptionInfo {
  const char* name;
  const char* value_name;  ///< what --help calls the value, "DIR"; empty for a switch
  const char* help;
  const char* group;
  OptionScope scope = OptionScope::kPlace;
  const char* environment = "";  ///< environment variable that gives the default, or ""
};

/// Tells the tables of the programs apart: `Self` is `Options` or const `Options`.
template <class Self, class Options>
concept OptionsOf = std::same_as<std::remove_const_t<Self>, Options>;

}  // namespace mnist
