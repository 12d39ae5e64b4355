// Whether a network and a data set belong together.
#include "evaluate/check_fits.hpp"

#include "mnist/support/error.hpp"

namespace mnist {

void check_fits(const MlpShape& shape, const Dataset& dataset, const std::string& model,
                const std::string& data) {
  if (shape.inputs == dataset.pixels() && shape.classes == dataset.classes()) return;
  throw Error(model + ": the network is " + to_string(shape) + ", but the data in " + data +
              " need " + std::to_string(dataset.pixels()) + " inputs (" +
              std::to_string(dataset.rows) + "x" + std::to_string(dataset.columns) +
              " pixels) and " + std::to_string(dataset.classes()) +
              " classes; name the data that it was trained on with --data");
}

}  // namespace mnist
