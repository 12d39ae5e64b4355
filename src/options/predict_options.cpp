// Validation of mnist-predict's options.
#include "options/predict_options.hpp"

#include "mnist/support/error.hpp"

namespace mnist {

void validate(const PredictOptions& options) {
  if (options.images.empty()) throw UsageError("no IMAGE given; name at least one image file");
  require_name(options.model, "model", "file");
  validate(options.log);
}

}  // namespace mnist
