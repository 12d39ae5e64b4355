// The version, and the git revision of the build.
#pragma once

#include <string>

namespace mnist {

/// "MAJOR.MINOR.PATCH".
extern const char* const kVersion;

/// Short git hash, with "-dirty" if the working tree had changes; "unknown" outside a checkout.
extern const char* const kRevision;

/// "mnist-trainer 0.2.0 (0123456789)".
inline std::string program_version() {
  return std::string("mnist-trainer ") + kVersion + " (" + kRevision + ")";
}

}  // namespace mnist
