// The fused CPU engine: SIMD kernels and threads for these networks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/cpu/kernels.hpp"
#include "engine/cpu/layers.hpp"
#include "engine/cpu/minibatch.hpp"
#include "engine/optimizer_step.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/model/mlp.hpp"
#include "support/aligned.hpp"
#include "support/thread_team.hpp"

namespace mnist {

/// Trains ReLU networks with cross-entropy and exact Adam or AdamW, in minibatches of any size.
/// Each thread owns slices of every hidden layer's outputs, with their weights and moments; see
/// kernels.hpp for the arithmetic. The results do not depend on the number of threads.
class CpuEngine : public Engine {
 public:
  /// `dataset` must outlive the engine. Throws Error when `initial` has hidden layers with
  /// another activation than ReLU.
  CpuEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options, int threads,
            const CpuKernels& kernels = best_cpu_kernels());

  StepsResult train(const Steps& steps) override;
  Mlp parameters() const override;
  EngineState state() const override;
  void restore(const EngineState& state) override;
  NamedNorms gradient_norms() const override;
  std::string description() const override;

 private:
  LayerInputs inputs_of(std::size_t layer, const CpuMinibatch& minibatch) const;
  Rows deltas_of(std::size_t layer);
  /// A thread's part of a step; returns how many of its examples were classified correctly.
  std::size_t step(int thread, const CpuMinibatch& minibatch, double learning_rate, bool measure);
  void forward(int thread, const CpuMinibatch& minibatch);
  std::size_t compute_loss(int thread, const CpuMinibatch& minibatch);
  void backward_input(int thread, const CpuMinibatch& minibatch);
  void backward_weight(int thread, const CpuMinibatch& minibatch, const OptimizerStep* step);
  float clip_factor() const;

  const MlpShape shape_;
  const TrainOptions options_;
  const CpuKernels& kernels_;
  ThreadTeam team_;
  std::vector<CpuLayer> layers_;
  CpuMinibatches minibatches_;
  std::vector<float> losses_;                  ///< of each example of the minibatch
  std::vector<AlignedVector<float>> scratch_;  ///< of each thread
  std::int64_t steps_done_ = 0;
};

}  // namespace mnist
