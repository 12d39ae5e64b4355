// Flags and checks that several programs share.
#pragma once

#include <cstdint>
#include <string>

#include "mnist/support/log_options.hpp"
#include "options/option_info.hpp"

namespace mnist {

/// Calls visit(member, OptionInfo) for each option, in the order of --help.
template <class Self, class Visitor>
void for_each_log_option(Self& log, Visitor&& visit) {
  const char* const group = "Logging";
  visit(log.color, OptionInfo{"color", "WHEN", "auto, always or never", group});
  visit(log.quiet, OptionInfo{"quiet", "", "show only warnings and errors", group});
  visit(log.verbose, OptionInfo{"verbose", "", "also show debug messages", group});
  visit(log.log_file,
        OptionInfo{"log-file", "FILE", "append messages with timestamps to this file", group});
}

/// Throws UsageError "--FLAG must be RULE, found FOUND" unless `allowed`.
void require(bool allowed, const std::string& flag, const std::string& rule,
             const std::string& found);

// Each throws UsageError that names the flag, the value found and the values allowed.
void require_name(const std::string& name, const std::string& flag, const std::string& kind);
void validate_device(const std::string& device);
void validate_threads(std::int64_t threads);
void validate_required_accuracy(double percent);
void validate(const LogOptions& options);

}  // namespace mnist
