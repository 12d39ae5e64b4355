// The spelling of an enumeration's values, as flags, files and messages have it.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace mnist {

/// Specialised beside each enumeration that users can name: `kNames`, in the order of its values,
/// which count from 0.
template <class Enum>
struct EnumNames;

/// The name of an enumeration's value.
template <class Enum>
constexpr std::string_view name_of(Enum value) {
  return EnumNames<Enum>::kNames.at(static_cast<std::size_t>(value));
}

}  // namespace mnist
