// Runs a program: command line, logging, and exceptions as exit codes.
#pragma once

#include <functional>
#include <string>

#include "cli/command_line.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "mnist/support/error.hpp"
#include "support/log.hpp"

namespace mnist {

/// Runs `work` and returns its exit code. An exception becomes one line on standard error, and exit
/// code 2 for a UsageError, 1 for any other.
int run_guarded(const std::string& name, const std::function<int()>& work);

/// The exit code for `evaluation` under --require-accuracy `percent`: kExitSuccess, or
/// kExitBelowRequiredAccuracy after logging an error.
int check_accuracy(const Evaluation& evaluation, double percent);

/// Parses the command line and runs work(options), or prints the text asked for. `stored_runs` is
/// for mnist-train: what parse_command_line() needs for --resume.
template <class Options, class Work, class... Stored>
int run_program(int argc, const char* const* argv, const VersionText& version, const Work& work,
                const Stored&... stored_runs) {
  return run_guarded(Options::kProgram, [&]() -> int {
    Options options;
    const CommandLine line = parse_command_line(argc, argv, version, options, stored_runs...);
    if (line.wants_work) {
      configure_log(options.log);
      return work(options);
    }
    print_result(line.text);
    return kExitSuccess;
  });
}

}  // namespace mnist
