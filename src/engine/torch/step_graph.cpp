// A step of training as one launch: CUDA's graphs, where LibTorch has them.
#include "engine/torch/step_graph.hpp"

#ifdef MNIST_WITH_CUDA_GRAPHS
#include <optional>

#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#endif

namespace mnist {

#ifdef MNIST_WITH_CUDA_GRAPHS

namespace {

// Before it is recorded, a step must have run: libraries make their workspaces the first times.
constexpr int kWarmUpSteps = 3;

}  // namespace

struct StepGraph::Parts {
  explicit Parts(torch::Device device)
      : stream(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device)) {}

  c10::Stream stream;
  int warm_up_steps = 0;
  std::optional<at::cuda::CUDAGraph> recording;
};

struct StepGraph::Section::Parts {
  explicit Parts(c10::Stream stream) : guard(stream) {}
  c10::StreamGuard guard;
};

StepGraph::StepGraph(torch::Device device)
    : parts_(device.is_cuda() ? std::make_unique<Parts>(device) : nullptr) {}

StepGraph::Section::Section(const StepGraph& graph) {
  if (!graph.parts_) return;
  // What was begun before, on the device's default stream, comes first.
  const c10::Device device = graph.parts_->stream.device();
  c10::impl::VirtualGuardImpl(device.type()).getDefaultStream(device).synchronize();
  parts_ = std::make_unique<Parts>(graph.parts_->stream);
}

void StepGraph::run(const std::function<void()>& step) {
  if (!parts_ || parts_->warm_up_steps < kWarmUpSteps) {
    step();
    if (parts_) ++parts_->warm_up_steps;
    return;
  }
  if (!parts_->recording) {
    parts_->recording.emplace();
    parts_->recording->capture_begin();
    step();
    parts_->recording->capture_end();
  }
  parts_->recording->replay();
}

void StepGraph::reset() {
  if (parts_) parts_->recording.reset();
}

#else

struct StepGraph::Parts {};
struct StepGraph::Section::Parts {};

StepGraph::StepGraph(torch::Device /*device*/) {}
StepGraph::Section::Section(const StepGraph& /*graph*/) {}
void StepGraph::run(const std::function<void()>& step) {
  step();
}
void StepGraph::reset() {}

#endif

StepGraph::~StepGraph() = default;
StepGraph::Section::~Section() = default;

}  // namespace mnist
