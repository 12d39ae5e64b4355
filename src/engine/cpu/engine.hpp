// The fused CPU engine: SIMD kernels and threads for these networks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cpu/gradient_exchange.hpp"
#include "engine/cpu/kernels.hpp"
#include "engine/cpu/layers.hpp"
#include "engine/cpu/microbatch.hpp"
#include "engine/cpu/phase_clock.hpp"
#include "engine/optimizer_step.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/distributed/communicator.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/model/mlp.hpp"
#include "support/aligned.hpp"
#include "support/thread_team.hpp"

namespace mnist {

/// Trains ReLU networks with cross-entropy and exact Adam or AdamW, in minibatches of any size.
/// engine.cpp explains the schedule, kernels.hpp the arithmetic. The results do not depend on the
/// number of threads or processes.
class CpuEngine : public Engine {
 public:
  /// `dataset` and `processes` must outlive the engine. With several `processes`, the engines of
  /// all train one network: they must get the same arguments and the same calls of train(), and use
  /// the smallest of their numbers of threads. Throws Error when their kernels belong to different
  /// instruction sets, or when `initial` has hidden layers with another activation than ReLU.
  CpuEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options, int threads,
            const CpuKernels& kernels = best_cpu_kernels(),
            Communicator& processes = single_process());

  StepsResult train(const Steps& steps) override;
  Mlp parameters() const override;
  EngineState state() const override;
  void restore(const EngineState& state) override;
  NamedNorms gradient_norms() const override;
  std::string description() const override;
  int threads() const override { return team_.size(); }
  StepProfile profile() const override;

 private:
  struct ThreadLocal {
    PhaseClock clock;
    AlignedVector<float> logits;   ///< [examples, stride of the last layer]; then their gradients
    AlignedVector<float> scratch;  ///< for CpuKernels::backward_input()
    std::vector<float> losses;     ///< [examples]
    std::vector<char> dense;       ///< LayerInputs::dense of each layer
    std::size_t correct = 0;
  };

  /// Where gradients come from and go to: the stack of sums over microbatches, or the optimizer
  /// step. With neither, their squares are summed.
  struct GradientPass {
    bool from_stack = false;  ///< the complete sum, instead of the products of a microbatch
    bool to_stack = false;
    const OptimizerStep* step = nullptr;  ///< updates the parameters
  };

  LayerInputs inputs_of(std::size_t layer, const CpuMicrobatch& part, int thread);
  Rows outputs_of(std::size_t layer, int thread);
  Rows deltas_of(std::size_t layer, int thread);
  ThreadLocal& local_of(int thread) { return locals_[static_cast<std::size_t>(thread)]; }
  void barrier(int thread);
  void reserve();
  void run(int thread, const Steps& steps);
  StepsResult gather_result(const Steps& steps);
  void forward(int thread, const CpuMicrobatch& part);
  void activate(int thread, CpuLayer& layer, const CpuMicrobatch& part);
  void compute_loss(int thread, const CpuMicrobatch& part);
  void backward_input(int thread, const CpuMicrobatch& part);
  void backward_weight(int thread, const CpuMicrobatch& part, double learning_rate, bool measure);
  void use_gradients(int thread, const CpuMicrobatch& part, const GradientPass& pass);
  void exchange_gradients(int thread, const CpuMicrobatch& part);
  float clip_factor() const;
  Mlp array(CpuArray array) const;
  void set_array(CpuArray array, const Mlp& values);

  const MlpShape shape_;
  const TrainOptions options_;
  const CpuKernels& kernels_;
  ThreadTeam team_;
  std::vector<CpuLayer> layers_;
  CpuMicrobatches microbatches_;
  Communicator& processes_;
  std::optional<GradientExchange> exchange_;     ///< with several processes
  std::vector<AlignedVector<float>> gradients_;  ///< the stack of the sum over microbatches
  std::vector<double> losses_;                   ///< summed over each microbatch of the call
  std::vector<ThreadLocal> locals_;
  std::int64_t steps_done_ = 0;
  std::int64_t profiled_steps_ = 0;
};

}  // namespace mnist
