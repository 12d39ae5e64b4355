// Command lines: binds the option tables to CLI11.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "mnist/options/train_options.hpp"
#include "options/program_options.hpp"

namespace mnist {

/// The program's name and its arguments.
using Arguments = std::span<const char* const>;

/// Describes the libraries in use; called only for --version.
using VersionText = std::string (*)();

/// Fills in and validates `options`: environment variables override the defaults, and flags
/// override both. For mnist-train, the options from --config, --recipe or --resume come between
/// the two. Returns the text to print instead, if the flags ask for one: help, versions, documents,
/// the configuration. Throws UsageError; Error if --resume names a damaged checkpoint.
template <class Options>
std::optional<std::string> parse_command_line(Arguments arguments, VersionText version,
                                              Options& options);

}  // namespace mnist
