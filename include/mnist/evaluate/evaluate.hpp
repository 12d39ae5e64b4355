// Runs a network over a dataset.
#pragma once

#include <functional>
#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "mnist/model/mlp.hpp"

namespace mnist {

/// Evaluates `mlp` on all of `dataset`, whose images and classes it must fit, in plain C++: one
/// image at a time with sums in f64. For programs without LibTorch, which start in 10 ms; over
/// 10,000 images LibTorch is several times as fast.
Evaluation evaluate(const Mlp& mlp, const Dataset& dataset);

/// Evaluates networks with LibTorch on one dataset, which is uploaded once to `device` ("cpu" or
/// "cuda:N") and must outlive the result.
std::function<Evaluation(const Mlp&)> device_evaluator(const Dataset& dataset,
                                                       const std::string& device);

/// Throws Error that shows both shapes unless `dataset` has the images and classes that a network
/// of this shape is for. `model` and `data` name the two in the message.
void check_fits(const MlpShape& shape, const Dataset& dataset, const std::string& model,
                const std::string& data);

}  // namespace mnist
