// A step of training as one launch: CUDA's graphs, where LibTorch has them.
#pragma once

#include <functional>
#include <memory>

#include <torch/types.h>

namespace mnist {

/// Records what a function asks of a CUDA device, once, and has it done again and again without
/// asking. What the function reads and writes must stay where it is, and nothing of it may wait for
/// the device. With any other device, or a LibTorch without CUDA, every call runs the function.
class StepGraph {
 public:
  explicit StepGraph(torch::Device device);
  ~StepGraph();
  StepGraph(const StepGraph&) = delete;
  StepGraph& operator=(const StepGraph&) = delete;

  /// Work for the device that is begun while this lives goes one after another, apart from that of
  /// others, as recording needs it.
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

  /// Runs `step`; from the fourth time on as a recording. Within a Section.
  void run(const std::function<void()>& step);

  /// Forgets the recording: something has moved.
  void reset();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mnist
