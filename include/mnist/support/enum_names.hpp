// Names of enumerators, as flags, files and messages spell them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace mnist {

template <std::size_t kCount>
using Names = std::array<std::string_view, kCount>;

/// Specialized next to each enum that users can name: the names in the order of the values, which
/// are 0, 1, 2 and so on.
template <class Enum>
inline constexpr Names<0> kEnumNames{};

/// The name of `value`. Throws std::out_of_range for a value without a name.
template <class Enum>
constexpr std::string_view name_of(Enum value) {
  return kEnumNames<Enum>.at(static_cast<std::size_t>(value));
}

}  // namespace mnist
