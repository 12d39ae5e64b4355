// The program's version and the git revision that it was built from.
#pragma once

namespace mnist {

/// "MAJOR.MINOR.PATCH".
extern const char* const kVersion;

/// Short git hash, with "-dirty" when the working tree had changes; "unknown" outside a checkout.
extern const char* const kRevision;

}  // namespace mnist
