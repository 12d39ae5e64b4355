// The flags about messages that all programs share.
#include "options/log_option_table.hpp"

#include "mnist/support/error.hpp"

namespace mnist {

void validate(const LogOptions& options) {
  if (options.quiet && options.verbose) throw UsageError("--quiet contradicts --verbose");
}

}  // namespace mnist
