// Everything that differs from step to step is kept on the device.
#include "engine/torch/graph_engine.hpp"

#include <string>
#include <utility>

#ifdef MNIST_WITH_CUDA_GRAPHS
#include <ATen/cuda/CUDAGraph.h>
#endif
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include "model/sequential.hpp"

namespace mnist {

#ifdef MNIST_WITH_CUDA_GRAPHS
struct GraphEngine::Graph : at::cuda::CUDAGraph {
  static constexpr bool kSupported = true;
};
#else
struct GraphEngine::Graph {
  static constexpr bool kSupported = false;
  void capture_begin() {}
  void capture_end() {}
  void replay() {}
};
#endif

GraphEngine::GraphEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                         torch::Device device, Notify notify)
    : TorchEngine(initial, dataset, options, device), notify_(std::move(notify)) {
  if (Graph::kSupported && device.is_cuda()) {
    stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
  }
  const auto integers = torch::device(device).dtype(torch::kInt64);
  indices_ = torch::zeros({kMaxChunkSteps, options.batch}, integers);
  learning_rates_ = torch::zeros({kMaxChunkSteps}, integers.dtype(learning_rate_type()));
  losses_ = torch::zeros({kMaxChunkSteps}, integers.dtype(torch::kFloat32));
  correct_ = torch::zeros({1}, integers);
  next_minibatch_ = torch::zeros({1}, integers);
}

GraphEngine::~GraphEngine() = default;

StepsResult GraphEngine::train(const Steps& steps) {
  if (stream_) {  // work queued on the default stream comes first
    c10::impl::VirtualGuardImpl(device_.type()).getDefaultStream(device_).synchronize();
  }
  const c10::OptionalStreamGuard guard(stream_);
  upload(steps);
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const std::int64_t size = std::ssize(steps.minibatch(i));
    if (size == steps.batch && can_replay()) {  // the graph is of a whole minibatch
      graph_->replay();
    } else {
      next_step(size);
    }
    finish_step();
  }
  if (graph_ && std::ssize(steps.indices) % steps.batch == 0) {
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      parameters_[p].mutable_grad() = captured_gradients_[p];
    }
  }
  // The first wait for the device since the steps began.
  const torch::Tensor losses = losses_.narrow(0, 0, steps.count()).cpu();
  const auto* const data = losses.const_data_ptr<float>();
  return {{data, data + losses.numel()}, correct_.item<std::int64_t>()};
}

void GraphEngine::upload(const Steps& steps) {
  correct_.zero_();
  next_minibatch_.zero_();
  indices_.view(-1).narrow(0, 0, std::ssize(steps.indices)).copy_(as_tensor(steps.indices));
  learning_rates_.narrow(0, 0, steps.count())
      .copy_(as_tensor(steps.learning_rates).narrow(0, 0, steps.count()));
}

void GraphEngine::next_step(std::int64_t size) {
  const torch::Tensor indices =
      indices_.index_select(0, next_minibatch_).view(-1).narrow(0, 0, size);
  const StepOutput output =
      backward(images_.index_select(0, indices), labels_.index_select(0, indices));
  update(learning_rates_.index_select(0, next_minibatch_));
  losses_.index_copy_(0, next_minibatch_, output.loss.unsqueeze(0));
  correct_.add_(output.correct);
  next_minibatch_.add_(1);
}

/// Captures one step, after some that run directly, so that libraries allocate their workspaces.
bool GraphEngine::can_replay() {
  constexpr std::int64_t kWarmUpSteps = 3;
  if (stream_ && whole_minibatches_++ == kWarmUpSteps) capture();
  return graph_ != nullptr;
}

/// A capture that throws must still be ended, or the stream stays unusable.
void GraphEngine::capture() {
  graph_ = std::make_unique<Graph>();
  try {
    graph_->capture_begin();
    next_step(indices_.size(1));
    graph_->capture_end();
    for (const auto& parameter : parameters_) captured_gradients_.push_back(parameter.grad());
    return;
  } catch (const std::exception& error) {
    const std::string message = error.what();
    notify_("capturing a CUDA graph failed (" + message.substr(0, message.find('\n')) +
            "); training continues without it");
  }
  try {
    graph_->capture_end();
  } catch (const std::exception&) {
    // This call reports the failed capture again.
  }
  graph_.reset();
}

}  // namespace mnist
