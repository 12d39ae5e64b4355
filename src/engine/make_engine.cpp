// Chooses the engine for the options of a run.
#include "mnist/engine/make_engine.hpp"

#include <algorithm>

#include "engine/cpu/engine.hpp"
#include "engine/cuda/engine.hpp"
#include "engine/torch/device.hpp"
#include "engine/torch/engine.hpp"
#include "support/machine.hpp"

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

/// The CUDA engine, or nothing when another one has to do it. --engine fused insists.
std::unique_ptr<Engine> make_cuda_engine(const TrainOptions& options, const MlpShape& shape,
                                         const StateDict& initial, const Dataset& dataset,
                                         const std::string& device, const Notify& notify) {
  const int number = cuda_number(device);
  if (options.engine == EngineKind::kAutograd || number >= find_cuda_devices().devices) return {};
  try {
    return std::make_unique<CudaEngine>(shape, initial, dataset, engine_options(options),
                                        options.batch, open_cuda_device(number));
  } catch (const NotForCudaKernel& error) {
    if (options.engine == EngineKind::kFused) throw;
    notify(std::string(error.what()) + "; going on without it");
    return {};
  }
}

}  // namespace

std::unique_ptr<Engine> make_engine(const TrainOptions& options, const MlpShape& shape,
                                    const StateDict& initial, const Dataset& dataset,
                                    const std::string& device, const Notify& notify) {
  if (device != "cpu") {
    if (auto engine = make_cuda_engine(options, shape, initial, dataset, device, notify))
      return engine;
    if (libtorch_device(device) == device) {
      return std::make_unique<AutogradEngine>(shape, initial, dataset, engine_options(options),
                                              torch::Device(device));
    }
    if (options.device != "auto") {
      throw Error("--device " + options.device + ": " + libtorch_description() +
                  " cannot do it either; use --device cpu");
    }
  }
  const bool relu = shape.activation == Activation::kRelu;
  if (options.engine == EngineKind::kFused || (options.engine == EngineKind::kAuto && relu)) {
    const int threads = options.threads > 0 ? static_cast<int>(options.threads)
                                            : std::min(available_cores(), kMostHelpfulThreads);
    return std::make_unique<CpuEngine>(shape, initial, dataset, engine_options(options), threads);
  }
  return std::make_unique<AutogradEngine>(shape, initial, dataset, engine_options(options),
                                          torch::Device(torch::kCPU));
}

}  // namespace mnist
