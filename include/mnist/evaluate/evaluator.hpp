// Runs a network over a data set and counts.
#pragma once

#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "mnist/model/mlp_shape.hpp"

namespace mnist {

/// What the network makes of the whole set, on `device` ("cpu", "cuda:N").
Evaluation evaluate(const MlpShape& shape, const StateDict& parameters, const Dataset& dataset,
                    const std::string& device);

}  // namespace mnist
