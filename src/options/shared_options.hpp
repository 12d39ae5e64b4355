// The flags about messages that all programs share.
#pragma once

#include "mnist/support/log_options.hpp"
#include "options/option_info.hpp"

namespace mnist {

/// Calls visit(member, OptionInfo) for each option, in the order in which help shows them.
template <class Self, class Visitor>
void for_each_log_option(Self& log, Visitor&& visit) {
  const char* const group = "Messages";
  visit(log.color, OptionInfo{"color", "WHEN", "auto, always or never", group});
  visit(log.quiet, OptionInfo{"quiet", "", "only warnings and errors", group});
  visit(log.verbose, OptionInfo{"verbose", "", "also what is done on the way", group});
  visit(log.log_file,
        OptionInfo{"log-file", "FILE", "also append messages, with times, to this file", group});
}

/// Throws UsageError when the options contradict one another.
void validate(const LogOptions& options);

}  // namespace mnist
