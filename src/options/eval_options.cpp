// Everything that an evaluation can be asked for.
#include "options/eval_options.hpp"

#include "mnist/options/train_options.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

void validate(const EvalOptions& options) {
  if (options.model.empty()) throw UsageError("--model must be the name of a file, found nothing");
  if (options.data.empty()) throw UsageError("--data must be the name of a folder, found nothing");
  validate_device(options.device);
  validate_threads(options.threads);
  validate_required_accuracy(options.require_accuracy);
  if (!options.run_dir.empty() && options.report.empty()) {
    throw UsageError("--run-dir needs --report: the page that shows the run");
  }
  validate(options.log);
}

}  // namespace mnist
