// What every program can be asked for about its messages.
#include "mnist/options/log_options.hpp"

#include "mnist/support/error.hpp"

namespace mnist {

void validate(const LogOptions& options) {
  if (options.quiet && options.verbose) throw UsageError("--quiet contradicts --verbose");
}

}  // namespace mnist
