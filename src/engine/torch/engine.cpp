// The reference engine: nn::Sequential, cross_entropy, backward and Adam as LibTorch has them.
#include "engine/torch/engine.hpp"

#include <algorithm>

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include "model/sequential.hpp"

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
    : dataset_(dataset),
      device_(device),
      options_(options),
      images_(resident(dataset.images, {dataset.count, dataset.pixels()}, device)),
      labels_(resident(dataset.labels, {dataset.count}, device).to(torch::kInt64)),
      network_(make_mlp(shape, initial, device)),
      parameters_(network_->parameters()),
      graph_(device) {
  for (const torch::Tensor& parameter : parameters_) {
    first_moments_.push_back(torch::zeros_like(parameter));
    second_moments_.push_back(torch::zeros_like(parameter));
    step_counts_.push_back(torch::zeros({}, torch::device(device).dtype(torch::kFloat32)));
    if (options.ema > 0) averages_.push_back(parameter.detach().clone());
  }
  for (std::size_t layer = 0; layer <= shape.hidden.size(); ++layer) {
    dropouts_.emplace_back(options.dropout_of(layer), options.seed, layer);
  }
  if (options.augment.any()) {
    augmenter_.emplace(options.augment, dataset.rows, dataset.columns, options.seed);
  }
}

StepsResult AutogradEngine::train(const Steps& steps) {
  const StepGraph::Section section(graph_);
  prepare(steps);
  const bool same_every_time = !augmenter_ && std::none_of(dropouts_.begin(), dropouts_.end(),
                                                           [](const auto& d) { return d.on(); });
  for (std::int64_t left = std::ssize(steps.rows); left > 0; left -= steps.batch) {
    ++steps_done_;
    if (same_every_time && left >= steps.batch) {
      graph_.run([&] {
        step(steps.batch, steps.epoch);
        recorded_gradients_ = gradients_;
      });
      gradients_ = recorded_gradients_;
    } else {
      step(std::min(left, steps.batch), steps.epoch);
    }
    average();
  }
  // The first wait for the device since the steps began.
  const torch::Tensor losses = losses_.narrow(0, 0, steps.count()).to(torch::kCPU);
  const auto* data = losses.const_data_ptr<float>();
  return {{data, data + losses.numel()}, correct_.item<std::int64_t>()};
}

/// Brings rows and learning rates to the device, where there may have been room for fewer.
void AutogradEngine::prepare(const Steps& steps) {
  const std::int64_t count = steps.count();
  const auto whole = torch::device(device_).dtype(torch::kInt64);
  // Adam on the CPU takes a learning rate of double precision, on a GPU one of single precision.
  const auto rate_type = device_.is_cpu() ? torch::kFloat64 : torch::kFloat32;
  if (!places_.defined() || places_.numel() != steps.batch || losses_.numel() < count) {
    graph_.reset();
    places_ = torch::arange(steps.batch, whole);
    rows_ = torch::zeros({count * steps.batch}, whole);
    learning_rates_ = torch::zeros({count}, whole.dtype(rate_type));
    losses_ = torch::zeros({count}, whole.dtype(torch::kFloat32));
    correct_ = torch::zeros({1}, whole);
    next_row_ = torch::zeros({1}, whole);
    next_minibatch_ = torch::zeros({1}, whole);
  }
  for (torch::Tensor* start : {&correct_, &next_row_, &next_minibatch_}) start->zero_();
  const auto copy = [](const auto& from, torch::ScalarType type, const torch::Tensor& to) {
    using Value = std::remove_const_t<std::remove_pointer_t<decltype(from.data())>>;
    to.narrow(0, 0, std::ssize(from))
        .copy_(torch::from_blob(const_cast<Value*>(from.data()), {std::ssize(from)}, type));
  };
  copy(steps.rows, torch::kInt64, rows_);
  copy(steps.learning_rates.first(static_cast<std::size_t>(count)), torch::kFloat64,
       learning_rates_);
}

/// One step on the next `size` rows. Everything that differs from step to step is on the device.
void AutogradEngine::step(std::int64_t size, std::int64_t epoch) {
  const torch::Tensor rows = rows_.index_select(0, places_.narrow(0, 0, size) + next_row_);
  // u8 times a scalar of floating point is f32: conversion and scaling in one pass.
  const torch::Tensor logits = forward(images_of(rows, epoch).mul(1 / kLargestPixel));
  const torch::Tensor labels = labels_.index_select(0, rows);
  const torch::Tensor loss = torch::nn::functional::cross_entropy(
      logits, labels,
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(options_.label_smoothing));
  gradients_ = torch::autograd::grad({loss}, parameters_);
  update(learning_rates_.index_select(0, next_minibatch_));

  const torch::NoGradGuard no_grad;
  correct_.add_(logits.argmax(1).eq(labels).sum());
  losses_.index_copy_(0, next_minibatch_, loss.detach().unsqueeze(0));
  next_row_.add_(size);
  next_minibatch_.add_(1);
}

/// u8 [rows, pixels], distorted when that is asked for.
torch::Tensor AutogradEngine::images_of(const torch::Tensor& rows, std::int64_t epoch) {
  if (!augmenter_) return images_.index_select(0, rows);
  const torch::Tensor on_host = rows.to(torch::kCPU);
  const std::int64_t pixels = dataset_.pixels();
  torch::Tensor distorted = torch::empty({rows.size(0), pixels}, torch::kUInt8);
  for (std::int64_t e = 0; e < rows.size(0); ++e) {
    const std::int64_t row = on_host.const_data_ptr<std::int64_t>()[e];
    (*augmenter_)(dataset_.images.data() + row * pixels, epoch, row,
                  distorted.mutable_data_ptr<std::uint8_t>() + e * pixels);
  }
  return distorted.to(device_);
}

/// nn::Sequential's forward with dropout before its linear layers.
torch::Tensor AutogradEngine::forward(torch::Tensor values) {
  constexpr std::size_t kModulesOfLayer = 2;  // linear and activation
  std::size_t number = 0;
  for (torch::nn::AnyModule& module : *network_) {
    if (number % kModulesOfLayer == 0) values = drop(values, dropouts_[number / kModulesOfLayer]);
    values = module.forward(values);
    ++number;
  }
  return values;
}

torch::Tensor AutogradEngine::drop(const torch::Tensor& values, const Dropout& dropout) const {
  if (!dropout.on()) return values;
  constexpr std::int64_t kBits = 32;
  const std::int64_t units = values.size(1);
  torch::Tensor mask = torch::empty({values.size(0), units}, torch::kFloat32);
  auto* const data = mask.mutable_data_ptr<float>();
  for (std::int64_t first = 0; first < values.size(0); first += kBits) {
    const std::int64_t count = std::min(kBits, values.size(0) - first);
    for (std::int64_t unit = 0; unit < units; ++unit) {
      const std::uint32_t keep = dropout.keep(steps_done_, static_cast<std::size_t>(first / kBits),
                                              static_cast<std::size_t>(unit));
      for (std::int64_t e = 0; e < count; ++e) {
        data[(first + e) * units + unit] = (keep >> e & 1) != 0 ? dropout.scale() : 0.0F;
      }
    }
  }
  return values * mask.to(device_);
}

/// One fused update of all parameters; torch::optim::Adam does the same with ten times as many
/// small operations.
void AutogradEngine::update(const torch::Tensor& learning_rate) {
  const torch::NoGradGuard no_grad;
  torch::_foreach_add_(step_counts_, 1);
  std::vector<torch::Tensor> gradients = gradients_;
  if (options_.clip_norm > 0) {
    const torch::Tensor norm = torch::stack(torch::_foreach_norm(gradients_)).norm();
    gradients = torch::_foreach_mul(gradients_,
                                    (options_.clip_norm / (norm + kClipEpsilon)).clamp_max(1.0));
  }
  if (options_.optimizer == Optimizer::kAdam) {
    torch::_fused_adam_(parameters_, gradients, first_moments_, second_moments_, {}, step_counts_,
                        learning_rate, kAdamBeta1, kAdamBeta2, options_.weight_decay, kAdamEpsilon,
                        /*amsgrad=*/false, /*maximize=*/false);
  } else {
    torch::_fused_adamw_(parameters_, gradients, first_moments_, second_moments_, {}, step_counts_,
                         learning_rate, kAdamBeta1, kAdamBeta2, options_.weight_decay, kAdamEpsilon,
                         /*amsgrad=*/false, /*maximize=*/false);
  }
}

void AutogradEngine::average() {
  const torch::NoGradGuard no_grad;
  const double weight = average_weight(options_.ema, steps_done_);
  if (weight > 0) torch::_foreach_lerp_(averages_, parameters_, weight);
}

StateDict AutogradEngine::parameters() const {
  return named(averages_.empty() ? parameters_ : averages_);
}

/// Copies of tensors that are shaped as the parameters, with their names.
StateDict AutogradEngine::named(const std::vector<torch::Tensor>& tensors) const {
  StateDict state = parameters_of(network_);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const torch::Tensor on_host = tensors[i].detach().to(torch::kCPU).contiguous();
    const auto* data = on_host.const_data_ptr<float>();
    state[i].values.assign(data, data + on_host.numel());
  }
  return state;
}

EngineState AutogradEngine::state() const {
  EngineState state{
      steps_done_, named(parameters_), named(first_moments_), named(second_moments_), {}};
  if (!averages_.empty()) state.averages = named(averages_);
  return state;
}

void AutogradEngine::restore(const EngineState& state) {
  const torch::NoGradGuard no_grad;
  const auto set = [](std::vector<torch::Tensor>& tensors, const StateDict& values, double scale) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      tensors[i].copy_(to_torch(values.at(i)));
      if (scale != 1) tensors[i].mul_(scale);
    }
  };
  steps_done_ = state.steps;
  for (torch::Tensor& count : step_counts_) count.fill_(static_cast<double>(state.steps));
  set(parameters_, state.weights, 1);
  set(first_moments_, state.first_moments, state.first_scale);
  set(second_moments_, state.second_moments, state.second_scale);
  if (!averages_.empty()) set(averages_, state.averages, 1);
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
