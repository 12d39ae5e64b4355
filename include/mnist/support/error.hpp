// The two kinds of failure that users meet, exit codes, and notices.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace mnist {

/// What a program returns to the shell; 128 + N stands for death by signal N.
enum ExitCode : int {
  kExitSuccess = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitBelowRequiredAccuracy = 3,
};

/// Something outside the program is not as it must be: a file, a device, the numbers of a run.
/// The message names it, says what was found, what was expected, and what to do next.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The command line or the configuration asks for something that is not allowed.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Receives a notice for the user: something worth knowing that is not an error.
using Notify = std::function<void(const std::string&)>;

}  // namespace mnist
