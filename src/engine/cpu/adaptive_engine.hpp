// The fused CPU engine on as many threads as train fastest.
#pragma once

#include <limits>
#include <memory>
#include <string>

#include "engine/cpu/engine.hpp"

namespace mnist {

/// Chooses a number of threads by the speed of successive calls of Engine::train. Two threads are
/// slower than one where their cores are far apart, or where something else needs one of them; and
/// both can change during a run. So it tries the largest number first, then halves as long as
/// that is faster, and tries again when training has become slower, or when a while has passed on
/// fewer threads than there are.
class ThreadChooser {
 public:
  /// `most`: threads to try at first, at least 1.
  explicit ThreadChooser(int most) : most_(most), threads_(most), best_threads_(most) {}

  /// The number for the next call.
  int threads() const { return threads_; }

  /// Records the last call. Short ones are ignored, because their time says little.
  void add_call(double seconds, double examples);

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();

  void end_trial();
  void watch(double seconds_per_example);

  const int most_;
  int threads_;
  bool settled_ = false;
  int calls_ = 0;  ///< of this trial, or since the last one
  int slow_calls_ = 0;
  double fastest_ = kInfinity;  ///< seconds per example in this trial
  int best_threads_;
  double best_ = kInfinity;
};

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
  const Dataset& dataset_;
  const TrainOptions options_;
  std::unique_ptr<CpuEngine> engine_;  ///< replaced to change threads, which takes milliseconds
  ThreadChooser chooser_;
};

}  // namespace mnist
