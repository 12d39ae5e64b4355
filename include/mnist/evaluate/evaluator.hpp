// Runs a network over a data set and counts.
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

/// Loss and confusion matrix of the network over the whole set, on `device` ("cpu", "cuda:N").
Evaluation evaluate(const MlpShape& shape, const StateDict& parameters, const Dataset& dataset,
                    const std::string& device);

}  // namespace mnist
