// How a program writes its messages.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// When messages are coloured; kAuto colours them on a terminal that supports it.
enum class ColorMode { kAuto, kAlways, kNever };
template <>
struct EnumNames<ColorMode> {
  static constexpr std::array<std::string_view, 3> kNames{"auto", "always", "never"};
};

/// Messages go to standard error; results on standard output are not affected.
struct LogOptions {
  ColorMode color = ColorMode::kAuto;
  bool quiet = false;    ///< only warnings and errors
  bool verbose = false;  ///< also debug messages
  std::string log_file;  ///< messages are appended to this file as well; empty: none
};

}  // namespace mnist
