// The torch engine on a GPU with its step recorded as a CUDA graph.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <c10/core/Stream.h>
#include <torch/types.h>

#include "engine/torch/engine.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

/// Launches each step as one graph instead of about 50 kernels. A recording replays the same work
/// on the same memory, so the minibatches of a call are uploaded together and a counter on the
/// device selects the next one. On the CPU, and in a LibTorch without CUDA, nothing is recorded;
/// the results are the same.
class GraphEngine : public TorchEngine {
 public:
  /// `options` must ask for neither dropout nor augmentation: masks and distorted images come from
  /// the host, which a recording cannot include. When recording fails, `notify` is told once and
  /// training continues without it.
  GraphEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
              torch::Device device, Notify notify);
  ~GraphEngine() override;

  /// Takes at most kMaxChunkSteps steps at once, with minibatches of options.batch.
  StepsResult train(const Steps& steps) override;

 private:
  struct Recording;

  void upload(const Steps& steps);
  void next_step(std::int64_t size);
  bool can_replay();
  void record();

  torch::Tensor indices_;                          ///< i64, of all minibatches
  torch::Tensor learning_rates_;                   ///< one for each minibatch
  torch::Tensor losses_;                           ///< f32, one for each minibatch
  torch::Tensor correct_;                          ///< i64 [1], so far
  torch::Tensor offsets_;                          ///< i64 [batch]: 0, 1, 2, ...
  torch::Tensor next_index_;                       ///< i64 [1], into indices_
  torch::Tensor next_minibatch_;                   ///< i64 [1], into learning_rates_ and losses_
  std::vector<torch::Tensor> recorded_gradients_;  ///< where the recorded step leaves gradients
  std::optional<c10::Stream> stream_;              ///< that is recorded; none where none can be
  std::unique_ptr<Recording> recording_;
  bool failed_ = false;  ///< to record
  int warm_up_steps_ = 0;
  Notify notify_;
};

}  // namespace mnist
