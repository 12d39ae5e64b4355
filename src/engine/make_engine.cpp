// Chooses the engine for the options of a run.
#include "mnist/engine/make_engine.hpp"

#include <algorithm>

#include "mnist/engine/autograd_engine.hpp"
#include "mnist/engine/cpu_engine.hpp"
#include "mnist/support/machine.hpp"

namespace mnist {
namespace {

// Measured up to 2. Beyond 8 some threads would have nothing of the second hidden layer: it has 128
// units, 16 to a cache line.
constexpr int kMostHelpfulThreads = 8;

EngineOptions engine_options(const TrainOptions& options) {
  EngineOptions engine;
  engine.optimizer = options.optimizer;
  engine.weight_decay = options.weight_decay;
  engine.clip_norm = options.clip_norm;
  engine.ema = options.ema;
  engine.label_smoothing = options.label_smoothing;
  engine.dropout.push_back(options.input_dropout);
  for (std::size_t layer = 0; layer < options.hidden.size(); ++layer) {
    engine.dropout.push_back(options.hidden_dropout(layer));
  }
  engine.augment = options.augment;
  engine.seed = options.seed;
  return engine;
}

}  // namespace

std::unique_ptr<Engine> make_engine(const TrainOptions& options, const MlpShape& shape,
                                    const StateDict& initial, const Dataset& dataset,
                                    const std::string& device) {
  const bool fits = device == "cpu" && shape.activation == Activation::kRelu;
  if (options.engine == EngineKind::kFused || (options.engine == EngineKind::kAuto && fits)) {
    const int threads = options.threads > 0 ? static_cast<int>(options.threads)
                                            : std::min(available_cores(), kMostHelpfulThreads);
    return std::make_unique<CpuEngine>(shape, initial, dataset, engine_options(options), threads);
  }
  return std::make_unique<AutogradEngine>(shape, initial, dataset, engine_options(options),
                                          torch::Device(device));
}

}  // namespace mnist
