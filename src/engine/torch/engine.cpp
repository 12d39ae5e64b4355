// The training step as PyTorch's documentation writes it. Dropout masks and distorted images come
// from the project's own random numbers, so that every engine sees the same ones.
#include "engine/torch/engine.hpp"

#include <algorithm>

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include "engine/optimizer_step.hpp"
#include "model/sequential.hpp"
#include "support/text.hpp"

namespace mnist {

TorchEngine::TorchEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                         torch::Device device)
    : device_(device),
      images_(as_tensor<std::uint8_t>(dataset.images).view({-1, dataset.pixels()}).to(device)),
      labels_(as_tensor<std::uint8_t>(dataset.labels).to(device, torch::kInt64)),
      dataset_(dataset),
      options_(options),
      shape_(initial.shape()),
      network_(make_sequential(initial, device)) {
  parameters_ = network_->parameters();
  for (const torch::Tensor& parameter : parameters_) {
    first_moments_.push_back(torch::zeros_like(parameter));
    second_moments_.push_back(torch::zeros_like(parameter));
    step_counts_.push_back(torch::zeros({}, parameter.options().requires_grad(false)));
    if (options.ema > 0) averages_.push_back(parameter.detach().clone());
  }
  for (std::size_t layer = 0; layer <= shape_.hidden.size(); ++layer) {
    dropouts_.emplace_back(options.dropout_of(layer), options.seed, layer);
  }
  if (options.augment.any()) {
    augmenter_.emplace(options.augment, dataset.rows, dataset.columns, options.seed);
  }
}

StepsResult TorchEngine::train(const Steps& steps) {
  const auto minibatches = as_tensor(steps.indices).to(device_).split(steps.batch);
  const torch::Tensor learning_rates =
      as_tensor(steps.learning_rates).to(device_, learning_rate_type());
  std::vector<torch::Tensor> losses;
  std::vector<torch::Tensor> correct;
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const torch::Tensor& indices = minibatches[static_cast<std::size_t>(i)];
    const torch::Tensor images =
        augmenter_ ? gather(steps.minibatch(i), steps) : images_.index_select(0, indices);
    const StepOutput output = backward(images, labels_.index_select(0, indices));
    update(learning_rates[i]);
    finish_step();
    losses.push_back(output.loss);
    correct.push_back(output.correct);
  }
  const torch::Tensor host_losses = torch::stack(losses).cpu();
  const auto* const data = host_losses.const_data_ptr<float>();
  return {{data, data + host_losses.numel()}, torch::stack(correct).sum().item<std::int64_t>()};
}

TorchEngine::StepOutput TorchEngine::backward(const torch::Tensor& images,
                                              const torch::Tensor& labels) {
  const torch::Tensor logits = forward(images.mul(1 / kMaxPixel));  // u8 to f32 in one pass
  const torch::Tensor loss = torch::nn::functional::cross_entropy(
      logits, labels,
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(options_.label_smoothing));
  network_->zero_grad();
  loss.backward();
  return {loss.detach(), logits.argmax(1).eq(labels).sum()};
}

/// The gradients of the last backward(), scaled as clip_grad_norm_ does.
std::vector<torch::Tensor> TorchEngine::clipped_gradients() const {
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& parameter : parameters_) gradients.push_back(parameter.grad());
  if (options_.clip_norm == 0) return gradients;
  const torch::Tensor norm = torch::stack(torch::_foreach_norm(gradients)).norm();
  const torch::Tensor scale = (options_.clip_norm / (norm + kClipEpsilon)).clamp_max(1.0);
  return torch::_foreach_mul(gradients, scale);
}

/// What torch::optim::Adam and AdamW do, by LibTorch's fused kernels: one operation for all
/// parameters instead of ten for each.
void TorchEngine::update(const torch::Tensor& learning_rate) {
  const torch::NoGradGuard no_grad;
  torch::_foreach_add_(step_counts_, 1);
  if (options_.optimizer == Optimizer::kAdam) {
    torch::_fused_adam_(parameters_, clipped_gradients(), first_moments_, second_moments_, {},
                        step_counts_, learning_rate, kBeta1, kBeta2, options_.weight_decay,
                        kAdamEpsilon, /*amsgrad=*/false, /*maximize=*/false);
  } else {
    torch::_fused_adamw_(parameters_, clipped_gradients(), first_moments_, second_moments_, {},
                         step_counts_, learning_rate, kBeta1, kBeta2, options_.weight_decay,
                         kAdamEpsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
}

void TorchEngine::finish_step() {
  const double weight = average_weight(options_, ++steps_done_);
  const torch::NoGradGuard no_grad;
  if (weight > 0) torch::_foreach_lerp_(averages_, parameters_, weight);
}

torch::ScalarType TorchEngine::learning_rate_type() const {
  return device_.is_cpu() ? torch::kFloat64 : torch::kFloat32;
}

const std::uint8_t* TorchEngine::image(std::int64_t index) const {
  return dataset_.image(index).data();
}

torch::Tensor TorchEngine::gather(std::span<const std::int64_t> indices, const Steps& steps) {
  const std::int64_t pixels = dataset_.pixels();
  torch::Tensor images = torch::empty({std::ssize(indices), pixels}, torch::kUInt8);
  auto* out = images.mutable_data_ptr<std::uint8_t>();
  for (const std::int64_t index : indices) {
    if (augmenter_) {
      (*augmenter_)(image(index), steps.epoch, index, out, steps.augment_strength);
    } else {
      std::copy_n(image(index), pixels, out);
    }
    out += pixels;
  }
  return images.to(device_);
}

/// nn::Sequential's forward, with dropout in front of its linear layers.
torch::Tensor TorchEngine::forward(torch::Tensor values) {
  std::size_t number = 0;  // even: linear layer, odd: activation
  for (torch::nn::AnyModule& module : *network_) {
    if (number % 2 == 0) values = drop(values, dropouts_[number / 2]);
    values = module.forward(values);
    ++number;
  }
  return values;
}

torch::Tensor TorchEngine::drop(const torch::Tensor& values, const Dropout& dropout) const {
  if (!dropout.on()) return values;
  const std::int64_t units = values.size(1);
  torch::Tensor mask = torch::empty({values.size(0), units}, torch::kFloat32);
  auto* const data = mask.mutable_data_ptr<float>();
  for (std::int64_t e = 0; e < values.size(0); ++e) {
    for (std::int64_t unit = 0; unit < units; ++unit) {
      data[e * units + unit] =
          dropout.factor(steps_done_ + 1, static_cast<std::size_t>(first_example_ + e),
                         static_cast<std::size_t>(unit));
    }
  }
  return values * mask.to(device_);
}

Mlp TorchEngine::parameters() const {
  return to_mlp(shape_, averages_.empty() ? parameters_ : averages_);
}

EngineState TorchEngine::state() const {
  EngineState state{steps_done_,
                    to_mlp(shape_, parameters_),
                    to_mlp(shape_, first_moments_),
                    to_mlp(shape_, second_moments_),
                    {}};
  if (!averages_.empty()) state.averages = to_mlp(shape_, averages_);
  return state;
}

void TorchEngine::restore(const EngineState& state) {
  steps_done_ = state.steps;
  copy_to_tensors(state.weights, parameters_);
  copy_to_tensors(state.first_moments, first_moments_);
  copy_to_tensors(state.second_moments, second_moments_);
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& count : step_counts_) count.fill_(static_cast<double>(state.steps));
  if (!averages_.empty()) copy_to_tensors(state.averages.value(), averages_);
}

NamedNorms TorchEngine::gradient_norms() const {
  NamedNorms norms;
  for (const auto& parameter : network_->named_parameters()) {
    norms.emplace_back(parameter.key(), parameter.value().grad().norm().item<double>());
  }
  return norms;
}

std::string TorchEngine::description() const {
  const std::string text = "torch on " + device_.str();
  return device_.is_cpu() ? text + ", " + counted(threads(), "thread") : text;
}

int TorchEngine::threads() const {
  return device_.is_cpu() ? at::get_num_threads() : 0;
}

}  // namespace mnist
