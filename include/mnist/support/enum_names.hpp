// Names of enumerators, as flags, files and messages spell them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace mnist {

/// Specialized next to each enum that users can name: the array `kNames` holds the names in the
/// order of the values, which are 0, 1, 2 and so on.
template <class Enum>
struct EnumNames;

/// The name of `value`. Throws std::out_of_range for a value without a name.
template <class Enum>
constexpr std::string_view name_of(Enum value) {
  return EnumNames<Enum>::kNames.at(static_cast<std::size_t>(value));
}

}  // namespace mnist
