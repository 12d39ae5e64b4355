// Everything that a prediction can be asked for.
#include "options/predict_options.hpp"

#include "mnist/support/error.hpp"

namespace mnist {

void validate(const PredictOptions& options) {
  if (options.images.empty()) throw UsageError("IMAGE must name at least one file, found nothing");
  if (options.model.empty()) throw UsageError("--model must be the name of a file, found nothing");
  validate(options.log);
}

}  // namespace mnist
