// The reference engine: nn::Sequential, cross_entropy, backward and Adam, on any device.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <torch/nn/modules/container/sequential.h>
#include <torch/types.h>

#include "augment/augmenter.hpp"
#include "engine/dropout.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"

namespace mnist {

/// Correct for every option on every device that LibTorch has; the other engines are tested against
/// it. The dataset is uploaded once, as u8 (on the CPU it is `dataset` itself, which must outlive
/// the engine), and train() does not wait for the device before its last step.
class TorchEngine : public Engine {
 public:
  TorchEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
              torch::Device device);

  StepsResult train(const Steps& steps) override;
  Mlp parameters() const override;
  EngineState state() const override;
  void restore(const EngineState& state) override;
  NamedNorms gradient_norms() const override;
  std::string description() const override;
  int threads() const override;

 protected:
  /// What backward() measures.
  struct StepOutput {
    torch::Tensor loss;     ///< f32 [], mean over the minibatch
    torch::Tensor correct;  ///< i64 []
  };

  /// Computes the gradients of the mean loss on `images` u8 [n, pixels] and `labels` i64 [n].
  StepOutput backward(const torch::Tensor& images, const torch::Tensor& labels);

  /// Applies Adam. `learning_rate` has one element, of the type learning_rate_type().
  void update(const torch::Tensor& learning_rate);

  /// Counts a step and, every few steps, updates the averaged weights.
  void finish_step();

  /// Images of the dataset, distorted if that is asked for, u8 [n, pixels].
  torch::Tensor gather(std::span<const std::int64_t> indices, const Steps& steps);

  /// Adam on the CPU takes the learning rate in double precision, on a GPU in single precision.
  torch::ScalarType learning_rate_type() const;

  const torch::Device device_;
  torch::Tensor images_;                   ///< u8 [n, pixels]
  torch::Tensor labels_;                   ///< i64 [n]
  std::vector<torch::Tensor> parameters_;  ///< of network_
  std::int64_t first_example_ = 0;         ///< place in the minibatch of the first of `images`

 private:
  virtual const std::uint8_t* image(std::int64_t index) const;
  torch::Tensor forward(torch::Tensor values);
  torch::Tensor drop(const torch::Tensor& values, const Dropout& dropout) const;
  std::vector<torch::Tensor> clipped_gradients() const;

  const Dataset& dataset_;
  const TrainOptions options_;
  const MlpShape shape_;
  torch::nn::Sequential network_;
  std::vector<torch::Tensor> first_moments_, second_moments_;
  std::vector<torch::Tensor> step_counts_;  ///< f32 scalars, as the fused kernel requires
  std::vector<torch::Tensor> averages_;     ///< empty without --ema
  std::vector<Dropout> dropouts_;           ///< of the inputs, then of each hidden layer
  std::optional<Augmenter> augmenter_;
  std::int64_t steps_done_ = 0;
};

}  // namespace mnist
