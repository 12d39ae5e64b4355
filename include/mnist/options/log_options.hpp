// What every program can be asked for about its messages.
#pragma once

#include <string>

#include "mnist/options/option_info.hpp"
#include "mnist/options/option_text.hpp"

namespace mnist {

/// How a program talks on standard error. Results on standard output stay as they are.
struct LogOptions {
  ColorMode color = ColorMode::kAuto;
  bool quiet = false;
  bool verbose = false;
  std::string log_file;

  /// Calls visit(member, OptionInfo) for each option, in the order in which help shows them.
  template <class Self, class Visitor>
  static void for_each(Self& self, Visitor&& visit) {
    const char* const group = "Messages";
    visit(self.color, OptionInfo{"color", "WHEN", "auto, always or never", group});
    visit(self.quiet, OptionInfo{"quiet", "", "only warnings and errors", group});
    visit(self.verbose, OptionInfo{"verbose", "", "also what is done on the way", group});
    visit(self.log_file,
          OptionInfo{"log-file", "FILE", "also append messages, with times, to this file", group});
  }
};

/// Throws UsageError when the options contradict one another.
void validate(const LogOptions& options);

}  // namespace mnist
