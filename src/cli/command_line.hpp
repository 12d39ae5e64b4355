// Command lines: binds the option tables to CLI11.
#pragma once

#include <functional>
#include <string>

#include "mnist/options/train_options.hpp"
#include "options/program_options.hpp"

namespace mnist {

/// What the command line asks for: work, or only a text on standard output (help, versions,
/// configuration).
struct CommandLine {
  bool wants_work = true;
  std::string text;
};

/// Describes the libraries in use; called only for --version.
using VersionText = std::function<std::string()>;

/// Fills in and validates `options`: environment variables override the defaults, and flags
/// override both. For mnist-train, the options from --config, --recipe or --resume come between
/// the two. Throws UsageError; Error if --resume names a damaged checkpoint.
template <class Options>
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               Options& options);

}  // namespace mnist
