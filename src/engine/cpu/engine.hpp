// The fused CPU engine: the reference's mathematics, written for these networks on processor cores.
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

/// Trains ReLU networks with cross-entropy and exact Adam or AdamW, minibatches of any size. Each
/// thread owns slices of every hidden layer's outputs, with weights and moments in memory of their
/// own; see cpu_kernels.hpp for the arithmetic. The same bits come out for any number of threads.
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
  /// The numbers of one step.
  struct StepNumbers {
    AdamStep adam;
    float average_weight = 0;  ///< 0: the averages stay
    bool want_norms = false;
  };

  StepNumbers numbers_of(std::int64_t step, double learning_rate) const;
  LayerInputs inputs_of(std::size_t layer, const CpuMinibatch& minibatch) const;
  Rows deltas_of(std::size_t layer);
  /// What the threads share of a layer's weights: slices, or rows of the last layer.
  Share rows_of(std::size_t layer, int thread) const;
  void step(int thread, const CpuMinibatch& minibatch, std::int64_t step, StepNumbers numbers);
  void forward(int thread, const CpuMinibatch& minibatch, std::int64_t step);
  void drop(CpuLayer& layer, const CpuSlice& slice, std::size_t tiles, std::int64_t step) const;
  void judge(int thread, const CpuMinibatch& minibatch);
  void backward(int thread, const CpuMinibatch& minibatch);
  void measure(int thread, const CpuMinibatch& minibatch);
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
  std::size_t room_ = 0;                             ///< examples that the arrays have room for
  std::vector<float> losses_;                        ///< of each example of the minibatch
  std::vector<AlignedVector<float>> scratch_;        ///< of each thread
  std::vector<AlignedVector<std::size_t>> correct_;  ///< of each thread, in its first element
  std::int64_t steps_done_ = 0;
};

}  // namespace mnist
