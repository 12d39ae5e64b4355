// Everything that differs from step to step is kept on the device.
#include "engine/torch/graph_engine.hpp"

#include <algorithm>
#include <utility>

#include <torch/torch.h>

namespace mnist {

GraphEngine::GraphEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                         torch::Device device, Notify notify)
    : TorchEngine(initial, dataset, options, device), graph_(device, std::move(notify)) {}

StepsResult GraphEngine::train(const Steps& steps) {
  const StepGraph::Section section(graph_);
  upload(steps);
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const std::int64_t size = std::ssize(steps.minibatch(i));
    if (size < steps.batch) {  // the recording is for whole minibatches
      next_step(size);
    } else {
      graph_.run([&] {
        next_step(size);
        recorded_gradients_.clear();
        for (const auto& parameter : parameters_) recorded_gradients_.push_back(parameter.grad());
      });
      for (std::size_t p = 0; p < parameters_.size(); ++p) {
        parameters_[p].mutable_grad() = recorded_gradients_[p];
      }
    }
    finish_step();
  }
  // The first wait for the device since the steps began.
  const torch::Tensor losses = losses_.narrow(0, 0, steps.count()).cpu();
  const auto* const data = losses.const_data_ptr<float>();
  return {{data, data + losses.numel()}, correct_.item<std::int64_t>()};
}

/// Copies indices and learning rates to the device. Tensors that grow or change their batch size
/// move, which invalidates the recording; so they are made for the longest chunk at once.
void GraphEngine::upload(const Steps& steps) {
  const std::int64_t count = steps.count();
  if (!offsets_.defined() || offsets_.numel() != steps.batch || losses_.numel() < count) {
    graph_.reset();
    const std::int64_t capacity = std::max(count, kMaxChunkSteps);
    const auto options = torch::device(device_).dtype(torch::kInt64);
    offsets_ = torch::arange(steps.batch, options);
    indices_ = torch::zeros({capacity * steps.batch}, options);
    learning_rates_ = torch::zeros({capacity}, options.dtype(learning_rate_type()));
    losses_ = torch::zeros({capacity}, options.dtype(torch::kFloat32));
    correct_ = torch::zeros({1}, options);
    next_index_ = torch::zeros({1}, options);
    next_minibatch_ = torch::zeros({1}, options);
  }
  for (torch::Tensor* counter : {&correct_, &next_index_, &next_minibatch_}) counter->zero_();
  indices_.narrow(0, 0, std::ssize(steps.indices))
      .copy_(torch::from_blob(const_cast<std::int64_t*>(steps.indices.data()),
                              {std::ssize(steps.indices)}, torch::kInt64));
  learning_rates_.narrow(0, 0, count)
      .copy_(torch::from_blob(const_cast<double*>(steps.learning_rates.data()), {count},
                              torch::kFloat64));
}

void GraphEngine::next_step(std::int64_t size) {
  const torch::Tensor indices = indices_.index_select(0, offsets_.narrow(0, 0, size) + next_index_);
  const StepOutput output = step(images_.index_select(0, indices), labels_.index_select(0, indices),
                                 learning_rates_.index_select(0, next_minibatch_));
  losses_.index_copy_(0, next_minibatch_, output.loss.unsqueeze(0));
  correct_.add_(output.correct);
  next_index_.add_(size);
  next_minibatch_.add_(1);
}

}  // namespace mnist
