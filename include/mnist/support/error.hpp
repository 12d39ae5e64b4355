// Exceptions, exit codes, and the callback for notices.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace mnist {

/// Exit codes of the programs.
enum ExitCode : int {
  kExitSuccess = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitBelowRequiredAccuracy = 3,
  kExitSignalBase = 128,  ///< plus the number of the signal that stopped the program
};

/// Something outside the program is invalid or fails: a file, a device, the numbers of a run.
/// what() is one line for the user: what is wrong, with the value found; what is allowed; what to
/// do.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The command line or the configuration file asks for something that is not allowed.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Receives one-line notices: what the user should know that is not an error.
using Notify = std::function<void(const std::string&)>;

}  // namespace mnist
