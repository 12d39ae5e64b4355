// The torch engine on a GPU with its step captured in a CUDA graph.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <c10/core/Stream.h>
#include <torch/types.h>

#include "engine/torch/engine.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

/// Launches each step as one graph instead of about 50 kernels. A graph repeats the same work on
/// the same memory, so the minibatches of a call are uploaded together and a counter on the device
/// selects the next one. On the CPU, and in a LibTorch without CUDA, nothing is captured; the
/// results are the same.
class GraphEngine : public TorchEngine {
 public:
  /// `options` must ask for neither dropout nor augmentation: masks and distorted images come from
  /// the host, which a graph cannot include. When the capture fails, `notify` is called once and
  /// training continues without a graph.
  GraphEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
              torch::Device device, Notify notify);
  ~GraphEngine() override;

  /// Takes at most kMaxChunkSteps steps at once, with minibatches of options.batch.
  StepsResult train(const Steps& steps) override;

 private:
  struct Graph;

  void upload(const Steps& steps);  ///< indices and learning rates
  void next_step(std::int64_t size);
  bool can_replay();
  void capture();

  torch::Tensor indices_;                          ///< i64 [kMaxChunkSteps, batch]
  torch::Tensor learning_rates_;                   ///< one for each minibatch
  torch::Tensor losses_;                           ///< f32, one for each minibatch
  torch::Tensor correct_;                          ///< i64 [1], so far
  torch::Tensor next_minibatch_;                   ///< i64 [1], row of the first three tensors
  std::vector<torch::Tensor> captured_gradients_;  ///< where the graph writes gradients
  std::optional<c10::Stream> stream_;   ///< to capture; empty where that is not supported
  std::unique_ptr<Graph> graph_;        ///< null before the capture, and if it fails
  std::int64_t whole_minibatches_ = 0;  ///< so far
  Notify notify_;
};

}  // namespace mnist
