// Messages for people, on standard error; results go to standard output.
#pragma once

#include <string>
#include <string_view>

namespace mnist {

/// Gives messages the program's name; call once at the start.
void start_log(const std::string& program);

/// A plain line.
void log_info(std::string_view message);

/// A line that starts with "PROGRAM: warning: " or "PROGRAM: error: ".
void log_warning(std::string_view message);
void log_error(std::string_view message);

/// Writes a result. Throws Error when standard output is full or broken; a reader that has gone
/// away (a closed pipe) is no error.
void print_result(std::string_view text);

}  // namespace mnist
