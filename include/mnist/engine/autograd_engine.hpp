// The reference engine: nn::Sequential, cross_entropy, backward and Adam as LibTorch has them.
#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/types.h>

#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/engine/engine_options.hpp"
#include "mnist/model/mlp_shape.hpp"

namespace mnist {

/// Trains on any device that LibTorch has. The data set is there once, as u8 (on the CPU it is
/// `dataset` itself, which must outlive the engine); a minibatch is one gather and one conversion;
/// nothing is copied back to the host before the last step.
class AutogradEngine : public Engine {
 public:
  AutogradEngine(const MlpShape& shape, const StateDict& initial, const Dataset& dataset,
                 const EngineOptions& options, torch::Device device);

  StepsResult train(const Steps& steps) override;
  StateDict parameters() const override;
  NamedNorms gradient_norms() const override;
  std::string description() const override;

 private:
  torch::Tensor step(const torch::Tensor& rows, double learning_rate, torch::Tensor& correct);
  void update(double learning_rate);

  torch::Device device_;
  EngineOptions options_;
  torch::Tensor images_;  ///< u8 [n, pixels]
  torch::Tensor labels_;  ///< i64 [n]
  torch::nn::Sequential network_;
  std::vector<torch::Tensor> parameters_;
  std::vector<torch::Tensor> gradients_;  ///< of the last minibatch
  std::vector<torch::Tensor> first_moments_;
  std::vector<torch::Tensor> second_moments_;
  std::vector<torch::Tensor> step_counts_;  ///< f32 scalars, as the fused kernel wants them
};

}  // namespace mnist
