// Another number of threads is another CpuEngine with the same state: some milliseconds.
#include "engine/cpu/adaptive_engine.hpp"

#include <chrono>

namespace mnist {

AdaptiveCpuEngine::AdaptiveCpuEngine(const Mlp& initial, const Dataset& dataset,
                                     const TrainOptions& options, int threads)
    : initial_(initial),
      dataset_(dataset),
      options_(options),
      chooser_(threads),
      engine_(std::make_unique<CpuEngine>(initial, dataset, options, threads)) {}

StepsResult AdaptiveCpuEngine::train(const Steps& steps) {
  if (chooser_.threads() != engine_->threads()) use_threads(chooser_.threads());
  const auto start = std::chrono::steady_clock::now();
  StepsResult result = engine_->train(steps);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  chooser_.add_call(seconds.count(), static_cast<double>(steps.indices.size()));
  return result;
}

void AdaptiveCpuEngine::use_threads(int threads) {
  const EngineState state = engine_->state();
  engine_ = std::make_unique<CpuEngine>(initial_, dataset_, options_, threads);
  engine_->restore(state);
}

}  // namespace mnist
