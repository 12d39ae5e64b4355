// From exceptions to exit codes: the frame around every program's work.
#pragma once

#include <functional>
#include <string>

namespace mnist {

/// Runs `work` and returns its exit code. What it throws becomes one line on standard error and
/// exit code 2 for a UsageError, 1 for anything else.
int run_program(const std::string& name, const std::function<int()>& work);

}  // namespace mnist
