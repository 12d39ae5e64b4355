// Validation of mnist-eval's options.
#include "options/eval_options.hpp"

#include "mnist/support/error.hpp"

namespace mnist {

void validate(const EvalOptions& options) {
  require_name(options.model, "model", "file");
  require_name(options.data, "data", "directory");
  validate_device(options.device);
  validate_threads(options.threads);
  validate_required_accuracy(options.require_accuracy);
  if (!options.run_dir.empty() && options.report.empty()) {
    throw UsageError("--run-dir needs --report: only the report shows the run");
  }
  validate(options.log);
}

}  // namespace mnist
