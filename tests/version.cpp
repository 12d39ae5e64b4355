// The version that unit tests see, which does not change with every commit.
#include "mnist/support/version.hpp"

namespace mnist {
const char* const kVersion = "0.0.0";
const char* const kRevision = "tests";
}  // namespace mnist
