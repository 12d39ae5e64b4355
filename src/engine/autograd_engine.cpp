// The reference engine: nn::Sequential, cross_entropy, backward and Adam as LibTorch has them.
#include "mnist/engine/autograd_engine.hpp"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include "mnist/model/mlp.hpp"

namespace mnist {
namespace {

constexpr double kLargestPixel = 255;

/// `values` as a tensor on `device`; on the CPU it is the same memory.
torch::Tensor resident(const std::vector<std::uint8_t>& values, torch::IntArrayRef shape,
                       torch::Device device) {
  return torch::from_blob(const_cast<std::uint8_t*>(values.data()), shape, torch::kUInt8)
      .to(device);
}

}  // namespace

AutogradEngine::AutogradEngine(const MlpShape& shape, const StateDict& initial,
                               const Dataset& dataset, const EngineOptions& options,
                               torch::Device device)
    : device_(device),
      options_(options),
      images_(resident(dataset.images, {dataset.count, dataset.pixels()}, device)),
      labels_(resident(dataset.labels, {dataset.count}, device).to(torch::kInt64)),
      network_(make_mlp(shape, initial, device)),
      parameters_(network_->parameters()) {
  for (const torch::Tensor& parameter : parameters_) {
    first_moments_.push_back(torch::zeros_like(parameter));
    second_moments_.push_back(torch::zeros_like(parameter));
    step_counts_.push_back(torch::zeros({}, torch::device(device).dtype(torch::kFloat32)));
  }
}

StepsResult AutogradEngine::train(const Steps& steps) {
  const torch::Tensor rows = torch::from_blob(const_cast<std::int64_t*>(steps.rows.data()),
                                              {std::ssize(steps.rows)}, torch::kInt64)
                                 .to(device_);
  const std::vector<torch::Tensor> minibatches = rows.split(steps.batch);
  std::vector<torch::Tensor> losses;
  losses.reserve(minibatches.size());
  torch::Tensor correct = torch::zeros({}, rows.options());
  for (std::size_t i = 0; i < minibatches.size(); ++i) {
    losses.push_back(step(minibatches[i], steps.learning_rates[i], correct));
  }
  // The first wait for the device since the steps began.
  const torch::Tensor all_losses = torch::stack(losses).to(torch::kCPU);
  const auto* data = all_losses.const_data_ptr<float>();
  return {{data, data + all_losses.numel()}, correct.item<std::int64_t>()};
}

torch::Tensor AutogradEngine::step(const torch::Tensor& rows, double learning_rate,
                                   torch::Tensor& correct) {
  // u8 times a scalar of floating point is f32: gather, then conversion and scaling in one pass.
  const torch::Tensor inputs = images_.index_select(0, rows).mul(1 / kLargestPixel);
  const torch::Tensor labels = labels_.index_select(0, rows);
  const torch::Tensor logits = network_->forward(inputs);
  const torch::Tensor loss = torch::nn::functional::cross_entropy(
      logits, labels,
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(options_.label_smoothing));
  gradients_ = torch::autograd::grad({loss}, parameters_);
  update(learning_rate);

  const torch::NoGradGuard no_grad;
  correct.add_(logits.argmax(1).eq(labels).sum());
  return loss.detach();
}

/// One fused update of all parameters; torch::optim::Adam does the same with ten times as many
/// small operations.
void AutogradEngine::update(double learning_rate) {
  const torch::NoGradGuard no_grad;
  torch::_foreach_add_(step_counts_, 1);
  if (options_.optimizer == Optimizer::kAdam) {
    torch::_fused_adam_(parameters_, gradients_, first_moments_, second_moments_, {}, step_counts_,
                        learning_rate, kAdamBeta1, kAdamBeta2, options_.weight_decay, kAdamEpsilon,
                        /*amsgrad=*/false, /*maximize=*/false);
  } else {
    torch::_fused_adamw_(parameters_, gradients_, first_moments_, second_moments_, {}, step_counts_,
                         learning_rate, kAdamBeta1, kAdamBeta2, options_.weight_decay, kAdamEpsilon,
                         /*amsgrad=*/false, /*maximize=*/false);
  }
}

StateDict AutogradEngine::parameters() const {
  return parameters_of(network_);
}

NamedNorms AutogradEngine::gradient_norms() const {
  NamedNorms norms;
  const auto named = network_->named_parameters();
  for (std::size_t i = 0; i < gradients_.size(); ++i) {
    norms.emplace_back(named[i].key(), gradients_[i].norm().item<double>());
  }
  return norms;
}

std::string AutogradEngine::description() const {
  std::string text = "autograd on " + device_.str();
  if (!device_.is_cpu()) return text;
  const int threads = at::get_num_threads();
  return text + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

}  // namespace mnist
