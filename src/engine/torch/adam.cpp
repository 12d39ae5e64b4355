// Calls LibTorch's fused Adam kernels, which torch::optim does not offer.
#include "engine/torch/adam.hpp"

#include <torch/torch.h>

#include "engine/optimizer_step.hpp"
#include "model/sequential.hpp"

namespace mnist {

Adam::Adam(std::vector<torch::Tensor> parameters, const TrainOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  for (const torch::Tensor& parameter : parameters_) {
    first_moments_.push_back(torch::zeros_like(parameter));
    second_moments_.push_back(torch::zeros_like(parameter));
    step_counts_.push_back(torch::zeros({}, parameter.options().requires_grad(false)));
  }
}

void Adam::step(const torch::Tensor& learning_rate) {
  const torch::NoGradGuard no_grad;
  torch::_foreach_add_(step_counts_, 1);
  if (options_.optimizer == Optimizer::kAdam) {
    torch::_fused_adam_(parameters_, gradients(), first_moments_, second_moments_, {}, step_counts_,
                        learning_rate, kBeta1, kBeta2, options_.weight_decay, kAdamEpsilon,
                        /*amsgrad=*/false, /*maximize=*/false);
  } else {
    torch::_fused_adamw_(parameters_, gradients(), first_moments_, second_moments_, {},
                         step_counts_, learning_rate, kBeta1, kBeta2, options_.weight_decay,
                         kAdamEpsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
}

/// Of the last backward(), scaled as clip_grad_norm_ does.
std::vector<torch::Tensor> Adam::gradients() const {
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& parameter : parameters_) gradients.push_back(parameter.grad());
  if (options_.clip_norm == 0) return gradients;
  const torch::Tensor norm = torch::stack(torch::_foreach_norm(gradients)).norm();
  const torch::Tensor scale = (options_.clip_norm / (norm + kClipEpsilon)).clamp_max(1.0);
  return torch::_foreach_mul(gradients, scale);
}

void Adam::restore(const EngineState& state) {
  const torch::NoGradGuard no_grad;
  copy_to_tensors(state.first_moments, first_moments_);
  copy_to_tensors(state.second_moments, second_moments_);
  for (torch::Tensor& count : step_counts_) count.fill_(static_cast<double>(state.steps));
}

}  // namespace mnist
