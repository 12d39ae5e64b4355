// The training step in plain loops: what the fused CPU engine's kernels compute, for readers, and
// for tests that compare with it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "augment/augmenter.hpp"
#include "engine/dropout.hpp"
#include "engine/optimizer_step.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"

namespace mnist {

/// Supports the same networks and options as CpuEngine, with the same random numbers; its losses
/// agree within rounding. No SIMD, no threads, no skipping of zeros: about 100 times as slow.
class ScalarEngine : public Engine {
 public:
  /// `dataset` must outlive the engine.
  ScalarEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options);

  StepsResult train(const Steps& steps) override;
  Mlp parameters() const override { return state_.averages.value_or(state_.weights); }
  EngineState state() const override { return state_; }
  void restore(const EngineState& state) override { state_ = state; }
  NamedNorms gradient_norms() const override;
  std::string description() const override { return "scalar on cpu"; }
  int threads() const override { return 1; }

 private:
  /// Values of a layer for each example of the minibatch.
  using Rows = std::vector<std::vector<float>>;

  Rows inputs(std::span<const std::int64_t> indices, const Steps& steps);
  Rows forward(std::size_t layer, const Rows& inputs) const;
  float loss_gradient(Rows& logits, std::span<const std::int64_t> indices, std::int64_t& correct);
  void weight_gradient(std::size_t layer, const Rows& deltas, const Rows& inputs);
  Rows input_gradient(std::size_t layer, const Rows& deltas, const Rows& inputs) const;
  void drop(std::size_t layer, Rows& values) const;
  void update(OptimizerStep numbers);

  const Dataset& dataset_;
  const TrainOptions options_;
  EngineState state_;
  Mlp gradients_;
  std::vector<Dropout> dropouts_;  ///< of the inputs, then of each hidden layer
  std::optional<Augmenter> augmenter_;
};

}  // namespace mnist
