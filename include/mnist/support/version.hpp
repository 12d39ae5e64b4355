// The version, and the git revision of the build.
#pragma once

namespace mnist {

/// "MAJOR.MINOR.PATCH".
extern const char* const kVersion;

/// Short git hash, with "-dirty" if the working tree had changes; "unknown" outside a checkout.
extern const char* const kRevision;

}  // namespace mnist
