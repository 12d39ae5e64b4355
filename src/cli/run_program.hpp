// From exceptions to exit codes: the frame around every program's work.
#pragma once

#include <functional>
#include <string>

#include "cli/command_line.hpp"
#include "mnist/support/error.hpp"
#include "support/log.hpp"

namespace mnist {

/// Runs `work` and returns its exit code. What it throws becomes one line on standard error and
/// exit code 2 for a UsageError, 1 for anything else.
int run_guarded(const std::string& name, const std::function<int()>& work);

/// Runs a program: work(options) with what the command line says, or the text that it asks for.
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
