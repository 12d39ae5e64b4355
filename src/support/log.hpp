// Messages on standard error, and results on standard output.
#pragma once

#include <string>
#include <string_view>

#include "mnist/support/log_options.hpp"

namespace mnist {

/// Starts logging to standard error; warnings and errors begin with `program`. Call it first.
void start_log(const std::string& program);

/// Applies `options`. Throws UsageError if the log file cannot be opened.
void configure_log(const LogOptions& options);

/// Whether progress lines are shown: on a terminal, without --quiet.
bool shows_progress();

/// Replaces the progress line at the bottom of the terminal, if shows_progress(); an empty `line`
/// or any other message removes it.
void show_progress(std::string_view line);

/// A line that only --verbose shows.
void log_debug(std::string_view message);

/// A line without a prefix.
void log_info(std::string_view message);

/// A line that starts with "PROGRAM: warning: " or "PROGRAM: error: ".
void log_warning(std::string_view message);
void log_error(std::string_view message);

/// Writes `text` to standard output. Throws Error if that fails, except for a closed pipe.
void print_result(std::string_view text);

}  // namespace mnist
