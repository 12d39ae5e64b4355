// Runs a program: command line, logging, and exceptions as exit codes.
#pragma once

#include <functional>
#include <string>

#include "cli/command_line.hpp"
#include "mnist/support/error.hpp"
#include "support/log.hpp"

namespace mnist {

/// Runs `work` and returns its exit code. An exception becomes one line on standard error, and exit
/// code 2 for a UsageError, 1 for any other.
int run_guarded(const std::string& name, const std::function<int()>& work);

/// The exit code for `accuracy`, 0 to 1, under --require-accuracy `percent`: kExitSuccess, or
/// kExitBelowRequiredAccuracy after logging an error.
int check_accuracy(double accuracy, double percent);

/// Parses the command line and runs work(options), or prints the text asked for.
template <class Options, class Work>
int run_program(int argc, const char* const* argv, const VersionText& version, const Work& work) {
  return run_guarded(Options::kProgram, [&]() -> int {
    Options options;
    const CommandLine line = parse_command_line(argc, argv, version, options);
    if (line.wants_work) {
      configure_log(options.log);
      return work(options);
    }
    print_result(line.text);
    return kExitSuccess;
  });
}

}  // namespace mnist
