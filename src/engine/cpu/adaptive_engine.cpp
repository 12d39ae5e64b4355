// The trials of numbers of threads: each takes a few calls, which train as all others do.
#include "engine/cpu/adaptive_engine.hpp"

#include <algorithm>
#include <chrono>

namespace mnist {
namespace {

constexpr double kShortestCall = 0.002;  // seconds
constexpr int kCallsPerTrial = 4;        // the first after a change runs on cold caches
constexpr double kSlower = 1.3;          // than in its trial, for kCallsToDoubt calls
constexpr int kCallsToDoubt = 8;
constexpr int kCallsBetweenTrials = 200;  // on fewer threads than there are: some seconds

}  // namespace

void ThreadChooser::add_call(double seconds, double examples) {
  if (most_ == 1 || seconds < kShortestCall) return;
  ++calls_;
  if (settled_) return watch(seconds / examples);
  if (calls_ > 1) fastest_ = std::min(fastest_, seconds / examples);
  if (calls_ == kCallsPerTrial) end_trial();
}

void ThreadChooser::end_trial() {
  const bool faster = fastest_ < best_;
  if (faster) {
    best_ = fastest_;
    best_threads_ = threads_;
  }
  calls_ = 0;
  fastest_ = kInfinity;
  settled_ = !faster || threads_ == 1;
  slow_calls_ = 0;
  threads_ = settled_ ? best_threads_ : threads_ / 2;
}

/// Starts the trials again when training has become slower, or after a while.
void ThreadChooser::watch(double seconds_per_example) {
  slow_calls_ = seconds_per_example > kSlower * best_ ? slow_calls_ + 1 : 0;
  const bool look_again = threads_ < most_ && calls_ >= kCallsBetweenTrials;
  if (slow_calls_ < kCallsToDoubt && !look_again) return;
  settled_ = false;
  calls_ = 0;
  threads_ = most_;
  best_ = kInfinity;
}

AdaptiveCpuEngine::AdaptiveCpuEngine(const Mlp& initial, const Dataset& dataset,
                                     const TrainOptions& options, int threads)
    : dataset_(dataset),
      options_(options),
      engine_(std::make_unique<CpuEngine>(initial, dataset, options, threads)),
      chooser_(engine_->threads()) {}

StepsResult AdaptiveCpuEngine::train(const Steps& steps) {
  if (chooser_.threads() != engine_->threads()) {
    const EngineState state = engine_->state();
    engine_ = std::make_unique<CpuEngine>(state.weights, dataset_, options_, chooser_.threads());
    engine_->restore(state);
  }
  const auto start = std::chrono::steady_clock::now();
  StepsResult result = engine_->train(steps);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  chooser_.add_call(seconds.count(), static_cast<double>(steps.indices.size()));
  return result;
}

}  // namespace mnist
