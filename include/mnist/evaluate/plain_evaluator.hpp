// Whether a network fits a data set, and how it does there, without LibTorch.
#pragma once

#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "mnist/model/mlp_shape.hpp"

namespace mnist {

/// Throws Error that shows both shapes unless images and classes of `dataset` are those that a
/// network of `shape` takes and gives. `model` and `data` are what the message calls them.
void check_fits(const MlpShape& shape, const Dataset& dataset, const std::string& model,
                const std::string& data);

/// What the network makes of the whole set, an image at a time with sums in f64: slower than
/// evaluate(), for programs that need no LibTorch.
Evaluation evaluate_plainly(const MlpShape& shape, const StateDict& parameters,
                            const Dataset& dataset);

}  // namespace mnist
