// Chooses the engine for the options of a run.
#include "mnist/engine/make_engine.hpp"

#include <algorithm>

#include "mnist/engine/autograd_engine.hpp"
#include "mnist/engine/cpu_engine.hpp"
#include "mnist/support/machine.hpp"

namespace mnist {
namespace {

// Measured up to 2; beyond 8 a thread would own two cache lines of the second hidden layer.
constexpr int kMostHelpfulThreads = 8;

}  // namespace

std::unique_ptr<Engine> make_engine(const TrainOptions& options, const MlpShape& shape,
                                    const StateDict& initial, const Dataset& dataset,
                                    const std::string& device) {
  const EngineOptions optimizer{options.optimizer, options.weight_decay, options.label_smoothing};
  const bool fits = device == "cpu" && shape.activation == Activation::kRelu;
  if (options.engine == EngineKind::kFused || (options.engine == EngineKind::kAuto && fits)) {
    const int threads = options.threads > 0 ? static_cast<int>(options.threads)
                                            : std::min(available_processors(), kMostHelpfulThreads);
    return std::make_unique<CpuEngine>(shape, initial, dataset, optimizer, threads);
  }
  return std::make_unique<AutogradEngine>(shape, initial, dataset, optimizer,
                                          torch::Device(device));
}

}  // namespace mnist
