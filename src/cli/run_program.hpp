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

/// Parses the command line and runs work(options), or prints the text asked for. `version` is for
/// programs with LibTorch.
template <class Options, class Work>
int run_program(
    int argc, const char* const* argv, const Work& work,
    VersionText version = [] { return std::string("without LibTorch"); }) {
  return run_guarded(Options::kProgram, [&]() -> int {
    Options options;
    const Arguments arguments(argv, static_cast<std::size_t>(argc));
    if (const auto text = parse_command_line(arguments, version, options)) {
      print_result(*text);
      return kExitSuccess;
    }
    configure_log(options.log);
    return work(options);
  });
}

}  // namespace mnist
