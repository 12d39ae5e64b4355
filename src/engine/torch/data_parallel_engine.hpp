// Data-parallel training by the torch engines of several processes.
#pragma once

#include "data/image_exchange.hpp"
#include "engine/torch/engine.hpp"
#include "mnist/distributed/communicator.hpp"

namespace mnist {

/// As PyTorch's DistributedDataParallel: each process computes the gradients of its part of every
/// minibatch, and all apply their average. On CPUs; results differ from those of TorchEngine by
/// rounding.
class DataParallelEngine : public TorchEngine {
 public:
  /// `processes` must outlive it. The engines of all processes must get the same arguments and the
  /// same calls of train().
  DataParallelEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                     int threads, Communicator& processes);

  StepsResult train(const Steps& steps) override;

 private:
  const std::uint8_t* image(std::int64_t index) const override { return exchange_.image(index); }
  void train_own_part(const Steps& steps, std::int64_t step, StepsResult& result);
  double all_reduce(const torch::Tensor& loss, double fraction);

  Communicator& processes_;
  ImageExchange exchange_;
};

}  // namespace mnist
