// Records work for a CUDA device as a graph, where LibTorch has CUDA.
#pragma once

#include <functional>
#include <memory>

#include <torch/types.h>

#include "mnist/support/error.hpp"

namespace mnist {

/// Records what a function asks of a CUDA device once, and replays it from then on. The function
/// must use the same memory each time and must not wait for the device. On another device, or in a
/// LibTorch without CUDA, every call runs the function.
class StepGraph {
 public:
  /// When recording fails, `notify` is told once and every call runs the function.
  StepGraph(torch::Device device, Notify notify);
  ~StepGraph();
  StepGraph(const StepGraph&) = delete;
  StepGraph& operator=(const StepGraph&) = delete;

  /// While this lives, the thread's work for the device goes to the stream that is recorded.
  class Section {
   public:
    explicit Section(const StepGraph& graph);
    ~Section();
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
  };

  /// Runs `step`: directly the first three times, so that libraries allocate their workspaces; as a
  /// recording from then on. To be called within a Section.
  void run(const std::function<void()>& step);

  /// Discards the recording: memory that it uses has moved.
  void reset();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mnist
