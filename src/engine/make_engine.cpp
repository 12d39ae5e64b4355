// Picks only engines that have been measured on this kind of device.
#include "mnist/engine/make_engine.hpp"

#include "engine/cpu/adaptive_engine.hpp"
#include "engine/cpu/engine.hpp"
#include "engine/cuda/engine.hpp"
#include "engine/cuda/self_check.hpp"
#include "engine/threads.hpp"
#include "engine/torch/device.hpp"
#include "engine/torch/graph_engine.hpp"

namespace mnist {
namespace {

std::unique_ptr<Engine> make_torch_engine(const TrainOptions& options, const Mlp& initial,
                                          const Dataset& dataset, const std::string& device,
                                          const Notify& notify) {
  bool dropout = false;
  for (std::size_t l = 0; l <= options.hidden.size(); ++l) dropout |= options.dropout_of(l) > 0;
  if (device == "cpu" || dropout || options.augment.any()) {
    return std::make_unique<TorchEngine>(initial, dataset, options, torch::Device(device));
  }
  return std::make_unique<GraphEngine>(initial, dataset, options, torch::Device(device), notify);
}

/// The CUDA engine, once its losses of the first steps have agreed with those of the CPU engine.
std::unique_ptr<Engine> make_cuda_engine(const TrainOptions& options, const Mlp& initial,
                                         const Dataset& dataset, const std::string& device) {
  const auto make = [&] {
    return std::make_unique<CudaEngine>(initial, dataset, options, options.batch,
                                        open_cuda_device(cuda_index(device)));
  };
  {
    const auto engine = make();  // freed before the engine of the run takes its memory
    CpuEngine reference(initial, dataset, options, thread_count(options.threads, kMaxFusedThreads));
    check_against_reference(*engine, reference, options, dataset.count);
  }
  return make();
}

}  // namespace

std::string training_device(const TrainOptions& options) {
  return resolve_training_device(options.device, options.engine);
}

std::unique_ptr<Engine> make_engine(const TrainOptions& options, const std::string& device,
                                    const Mlp& initial, const Dataset& dataset,
                                    const Notify& notify) {
  const bool relu = initial.activation == Activation::kRelu;
  if (device != "cpu" && options.engine == EngineKind::kFused) {
    return make_cuda_engine(options, initial, dataset, device);
  }
  if (device == "cpu" &&
      (options.engine == EngineKind::kFused || (options.engine == EngineKind::kAuto && relu))) {
    const int threads = thread_count(options.threads, kMaxFusedThreads);
    if (options.threads > 0) {
      return std::make_unique<CpuEngine>(initial, dataset, options, threads);
    }
    return std::make_unique<AdaptiveCpuEngine>(initial, dataset, options, threads);
  }
  if (options.profile) {
    throw UsageError("--profile needs the fused engine on a CPU; see --engine and --device");
  }
  return make_torch_engine(options, initial, dataset, device, notify);
}

}  // namespace mnist
