// Options for a program's messages.
#pragma once

#include <string>

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// Whether messages use color; kAuto: on a terminal that supports it, unless NO_COLOR is set.
enum class ColorMode { kAuto, kAlways, kNever };
template <>
inline constexpr Names<3> kEnumNames<ColorMode>{"auto", "always", "never"};

/// Options for messages on standard error; results on standard output are not affected.
struct LogOptions {
  ColorMode color = ColorMode::kAuto;
  bool quiet = false;    ///< only warnings and errors
  bool verbose = false;  ///< also debug messages
  std::string log_file;  ///< file to append messages to as well; empty: none
};

}  // namespace mnist
