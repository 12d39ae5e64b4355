// Wraps at::cuda::CUDAGraph; an empty shell without CUDA.
#include "engine/torch/step_graph.hpp"

#ifdef MNIST_WITH_CUDA_GRAPHS
#include <optional>
#include <string>
#include <utility>

#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#endif

namespace mnist {

#ifdef MNIST_WITH_CUDA_GRAPHS

namespace {

constexpr int kWarmUpSteps = 3;

}  // namespace

struct StepGraph::Parts {
  Parts(torch::Device device, Notify on_failure)
      : stream(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device)),
        notify(std::move(on_failure)) {}

  /// Whether `step` was recorded. A capture that throws must still be ended, or the stream stays
  /// unusable.
  bool record(const std::function<void()>& step) {
    recording.emplace();
    try {
      recording->capture_begin();
      step();
      recording->capture_end();
      return true;
    } catch (const std::exception& error) {
      const std::string message = error.what();
      notify("recording a CUDA graph failed (" + message.substr(0, message.find('\n')) +
             "); training continues without it");
    }
    try {
      recording->capture_end();
    } catch (const std::exception&) {
      // It reports the failed capture once more.
    }
    recording.reset();
    usable = false;
    return false;
  }

  c10::Stream stream;
  Notify notify;
  int warm_up_steps = 0;
  bool usable = true;
  std::optional<at::cuda::CUDAGraph> recording;
};

struct StepGraph::Section::Parts {
  explicit Parts(c10::Stream stream) : guard(stream) {}
  c10::StreamGuard guard;
};

StepGraph::StepGraph(torch::Device device, Notify notify)
    : parts_(device.is_cuda() ? std::make_unique<Parts>(device, std::move(notify)) : nullptr) {}

StepGraph::Section::Section(const StepGraph& graph) {
  if (!graph.parts_) return;
  // Work that was queued on the default stream comes first.
  const c10::Device device = graph.parts_->stream.device();
  c10::impl::VirtualGuardImpl(device.type()).getDefaultStream(device).synchronize();
  parts_ = std::make_unique<Parts>(graph.parts_->stream);
}

void StepGraph::run(const std::function<void()>& step) {
  if (parts_ && parts_->usable && parts_->warm_up_steps++ >= kWarmUpSteps &&
      (parts_->recording || parts_->record(step))) {
    parts_->recording->replay();
  } else {
    step();
  }
}

void StepGraph::reset() {
  if (parts_) parts_->recording.reset();
}

#else

struct StepGraph::Parts {};
struct StepGraph::Section::Parts {};

StepGraph::StepGraph(torch::Device /*device*/, Notify /*notify*/) {}
StepGraph::Section::Section(const StepGraph& /*graph*/) {}
void StepGraph::run(const std::function<void()>& step) {
  step();
}
void StepGraph::reset() {}

#endif

StepGraph::~StepGraph() = default;
StepGraph::Section::~Section() = default;

}  // namespace mnist
