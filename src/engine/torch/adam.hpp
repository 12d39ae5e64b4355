// Adam and AdamW by LibTorch's fused kernels, with gradient clipping.
#pragma once

#include <vector>

#include <torch/types.h>

#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"

namespace mnist {

/// What torch::optim::Adam and AdamW do, with one operation for all parameters instead of ten for
/// each. Takes the gradients that backward() left in the parameters; never waits for the device.
class Adam {
 public:
  Adam(std::vector<torch::Tensor> parameters, const TrainOptions& options);

  /// One step. `learning_rate` is a scalar tensor: f64 on the CPU, f32 on a GPU.
  void step(const torch::Tensor& learning_rate);

  const std::vector<torch::Tensor>& first_moments() const { return first_moments_; }
  const std::vector<torch::Tensor>& second_moments() const { return second_moments_; }

  /// Sets the moments and the step count.
  void restore(const EngineState& state);

 private:
  std::vector<torch::Tensor> gradients() const;

  std::vector<torch::Tensor> parameters_;
  std::vector<torch::Tensor> first_moments_;
  std::vector<torch::Tensor> second_moments_;
  std::vector<torch::Tensor> step_counts_;  ///< f32 scalars, as the fused kernel requires
  const TrainOptions options_;
};

}  // namespace mnist
