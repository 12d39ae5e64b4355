// Runs a network over a data set without LibTorch.
#pragma once

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "mnist/model/mlp_shape.hpp"

namespace mnist {

/// What the network makes of the whole set, an image at a time with sums in f64: slower than
/// evaluate(), for programs that need no LibTorch.
Evaluation evaluate_plainly(const MlpShape& shape, const StateDict& parameters,
                            const Dataset& dataset);

}  // namespace mnist
