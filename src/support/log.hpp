// Messages for people, on standard error; results go to standard output.
#pragma once

#include <string>
#include <string_view>

#include "mnist/support/log_options.hpp"

namespace mnist {

/// Gives messages the program's name; call once at the start.
void start_log(const std::string& program);

/// Follows what the command line asks for. Throws UsageError when the log file cannot be opened.
void configure_log(const LogOptions& options);

/// Shows `line` at the bottom of the terminal, in place of the one before; any other message,
/// or an empty line, removes it. Nothing when standard error is no terminal, or with --quiet;
/// shows_progress() tells.
void show_progress(std::string_view line);
bool shows_progress();

/// A line for those who asked for --verbose.
void log_debug(std::string_view message);

/// A plain line.
void log_info(std::string_view message);

/// A line that starts with "PROGRAM: warning: " or "PROGRAM: error: ".
void log_warning(std::string_view message);
void log_error(std::string_view message);

/// Writes a result. Throws Error when standard output is full or broken; a reader that has gone
/// away (a closed pipe) is no error.
void print_result(std::string_view text);

}  // namespace mnist
