// Whether a network and a data set belong together.
#pragma once

#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/model/mlp_shape.hpp"

namespace mnist {

/// Throws Error that shows both shapes unless images and classes of `dataset` are those that a
/// network of `shape` takes and gives. `model` and `data` are what the message calls them.
void check_fits(const MlpShape& shape, const Dataset& dataset, const std::string& model,
                const std::string& data);

}  // namespace mnist
