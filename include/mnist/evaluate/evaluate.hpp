// Runs a network over a data set.
#pragma once

#include <memory>
#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "mnist/model/mlp.hpp"

namespace mnist {

/// Evaluates `mlp` on all of `dataset`, whose images and classes it must fit, in plain C++: one
/// image at a time with sums in f64. For programs without LibTorch, which start in 10 ms; over
/// 10,000 images LibTorch is several times as fast.
Evaluation evaluate(const Mlp& mlp, const Dataset& dataset);

/// Evaluates networks on one data set with LibTorch. The data set is uploaded once and must outlive
/// the evaluator.
class DeviceEvaluator {
 public:
  /// `device`: "cpu" or "cuda:N".
  DeviceEvaluator(const Dataset& dataset, const std::string& device);
  ~DeviceEvaluator();

  Evaluation operator()(const Mlp& mlp) const;

 private:
  struct Tensors;
  const Dataset& dataset_;
  std::unique_ptr<Tensors> tensors_;
};

/// Throws Error that shows both shapes unless `dataset` has the images and classes that a network
/// of this shape is for. `model` and `data` name the two in the message.
void check_fits(const MlpShape& shape, const Dataset& dataset, const std::string& model,
                const std::string& data);

}  // namespace mnist
