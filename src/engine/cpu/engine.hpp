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
  /// OptimizerStep as the kernels take it.
  struct StepNumbers {
    AdamStep adam;
    float average_weight = 0;  ///< 0: the averages stay
    bool want_norms = false;
  };

  StepNumbers step_numbers(std::int64_t step, double learning_rate) const;
  LayerInputs inputs_of(std::size_t layer, const CpuMinibatch& minibatch) const;
  Rows deltas_of(std::size_t layer);
  /// The rows of a layer's weights that a thread updates: all rows of its slices, or a share of the
  /// rows of the last layer.
  Share rows_of(std::size_t layer, int thread) const;
  void step(int thread, const CpuMinibatch& minibatch, std::int64_t step, StepNumbers numbers);
  void forward(int thread, const CpuMinibatch& minibatch, std::int64_t step);
  void drop(CpuLayer& layer, const CpuSlice& slice, std::size_t tiles, std::int64_t step) const;
  void compute_loss(int thread, const CpuMinibatch& minibatch);
  void backward(int thread, const CpuMinibatch& minibatch);
  void squared_gradients(int thread, const CpuMinibatch& minibatch);
  float clip_factor() const;
  void update(int thread, const CpuMinibatch& minibatch, const StepNumbers& numbers);
  void update_slice(int thread, const CpuMinibatch& minibatch, const StepNumbers& numbers,
                    std::size_t layer, CpuSlice& slice);

  const MlpShape shape_;
  const TrainOptions options_;
  const CpuKernels& kernels_;
  ThreadTeam team_;
  std::vector<CpuLayer> layers_;
  CpuMinibatches minibatches_;
  std::size_t capacity_ = 0;                         ///< examples that fit into the arrays
  std::vector<float> losses_;                        ///< of each example of the minibatch
  std::vector<AlignedVector<float>> scratch_;        ///< of each thread
  std::vector<AlignedVector<std::size_t>> correct_;  ///< of each thread, in its first element
  std::int64_t steps_done_ = 0;
};

}  // namespace mnist
