// The fused CPU engine on as many threads as train fastest.
#pragma once

#include <memory>
#include <string>

#include "engine/cpu/engine.hpp"
#include "engine/cpu/thread_chooser.hpp"

namespace mnist {

/// Trains as CpuEngine does, whose results do not depend on the number of threads, and chooses that
/// number by the speed of its calls.
class AdaptiveCpuEngine : public Engine {
 public:
  /// At most `threads` threads; the rest as for CpuEngine.
  AdaptiveCpuEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                    int threads);

  StepsResult train(const Steps& steps) override;
  Mlp parameters() const override { return engine_->parameters(); }
  EngineState state() const override { return engine_->state(); }
  void restore(const EngineState& state) override { engine_->restore(state); }
  NamedNorms gradient_norms() const override { return engine_->gradient_norms(); }
  std::string description() const override { return engine_->description(); }
  int threads() const override { return engine_->threads(); }
  StepProfile profile() const override { return engine_->profile(); }

 private:
  void use_threads(int threads);

  const Mlp initial_;  ///< for its shape
  const Dataset& dataset_;
  const TrainOptions options_;
  ThreadChooser chooser_;
  std::unique_ptr<CpuEngine> engine_;
};

}  // namespace mnist
