// How a user's image is made to look like the training images.
#pragma once

#include <array>
#include <string_view>

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// See prepare().
enum class Preparation { kDigit, kGarment, kNone };
template <>
struct EnumNames<Preparation> {
  static constexpr std::array<std::string_view, 3> kNames{"digit", "garment", "none"};
};

}  // namespace mnist
