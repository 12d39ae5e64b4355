// The reference engine: nn::Sequential, cross_entropy, backward and Adam as LibTorch has them.
#pragma once

#include <optional>

#include <torch/nn/modules/container/sequential.h>
#include <torch/types.h>

#include "augment/augmenter.hpp"
#include "engine/dropout.hpp"
#include "engine/engine_options.hpp"
#include "engine/torch/step_graph.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/model/mlp_shape.hpp"

namespace mnist {

/// Trains on any device that LibTorch has. The data set is there once, as u8 (on the CPU it is
/// `dataset` itself, which must outlive the engine); a minibatch is one gather and one conversion;
/// nothing is copied back to the host before the last step. Which minibatch comes next is counted
/// on the device, so that a whole step can be recorded as a CUDA graph. Distorted images and
/// dropout masks come from the CPU; then, nothing is recorded.
class AutogradEngine : public Engine {
 public:
  AutogradEngine(const MlpShape& shape, const StateDict& initial, const Dataset& dataset,
                 const EngineOptions& options, torch::Device device);

  StepsResult train(const Steps& steps) override;
  StateDict parameters() const override;
  EngineState state() const override;
  void restore(const EngineState& state) override;
  NamedNorms gradient_norms() const override;
  std::string description() const override;

 private:
  void prepare(const Steps& steps);
  void step(std::int64_t size, std::int64_t epoch);
  torch::Tensor images_of(const torch::Tensor& rows, std::int64_t epoch);
  torch::Tensor forward(torch::Tensor values);
  torch::Tensor drop(const torch::Tensor& values, const Dropout& dropout) const;
  void update(const torch::Tensor& learning_rate);
  void average();
  StateDict named(const std::vector<torch::Tensor>& tensors) const;

  const Dataset& dataset_;
  torch::Device device_;
  EngineOptions options_;
  std::vector<Dropout> dropouts_;  ///< of the inputs, then of each hidden layer
  std::optional<Augmenter> augmenter_;
  torch::Tensor images_;  ///< u8 [n, pixels]
  torch::Tensor labels_;  ///< i64 [n]
  torch::nn::Sequential network_;
  std::vector<torch::Tensor> parameters_;
  std::vector<torch::Tensor> gradients_;  ///< of the last minibatch
  std::vector<torch::Tensor> first_moments_;
  std::vector<torch::Tensor> second_moments_;
  std::vector<torch::Tensor> step_counts_;  ///< f32 scalars, as the fused kernel wants them
  std::vector<torch::Tensor> averages_;     ///< empty when none are kept
  std::int64_t steps_done_ = 0;

  // The steps of one call, on the device.
  torch::Tensor rows_;            ///< i64, of all minibatches
  torch::Tensor learning_rates_;  ///< one for each minibatch
  torch::Tensor losses_;          ///< f32, one for each minibatch
  torch::Tensor correct_;         ///< i64 [1], so far
  torch::Tensor places_;          ///< i64 [batch]: 0, 1, 2, ...
  torch::Tensor next_row_;        ///< i64 [1], into rows_
  torch::Tensor next_minibatch_;  ///< i64 [1], into learning_rates_ and losses_
  StepGraph graph_;
  std::vector<torch::Tensor> recorded_gradients_;  ///< where a recorded step leaves gradients_
};

}  // namespace mnist
