// Picks only engines that have been measured on this kind of device.
#include "mnist/engine/make_engine.hpp"

#include <algorithm>

#include "engine/cpu/adaptive_engine.hpp"
#include "engine/cpu/engine.hpp"
#include "engine/cpu/microbatch.hpp"
#include "engine/cuda/engine.hpp"
#include "engine/cuda/self_check.hpp"
#include "engine/threads.hpp"
#include "engine/torch/data_parallel_engine.hpp"
#include "engine/torch/device.hpp"
#include "engine/torch/graph_engine.hpp"

namespace mnist {
namespace {

/// Threads of this process, which may share its cores with other `processes`.
int threads_of_process(const TrainOptions& options, const Communicator& processes, int most) {
  const int cores = available_cores() / processes.processes_on_these_cores();
  return thread_count(options.threads, std::clamp(cores, 1, most));
}

std::unique_ptr<Engine> make_torch_engine(const TrainOptions& options, const Mlp& initial,
                                          const Dataset& dataset, const std::string& device,
                                          const Notify& notify, Communicator& processes) {
  if (processes.size() > 1) {
    const int threads = threads_of_process(options, processes, kMaxLibtorchThreads);
    return std::make_unique<DataParallelEngine>(initial, dataset, options, threads, processes);
  }
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
    return std::make_unique<CudaEngine>(initial, dataset, options,
                                        open_cuda_device(cuda_index(device)));
  };
  {
    const auto engine = make();  // freed before the engine of the run takes its memory
    CpuEngine reference(initial, dataset, options, thread_count(options.threads, kMaxFusedThreads));
    check_against_reference(*engine, reference, options, dataset.count);
  }
  return make();
}

void notify_of_idle_processes(const TrainOptions& options, const Communicator& processes,
                              const Notify& notify) {
  const std::size_t leaves = leaves_of(static_cast<std::size_t>(options.batch));
  if (leaves >= static_cast<std::size_t>(processes.size())) return;
  const std::string busy = std::to_string(leaves) + " of " + std::to_string(processes.size());
  notify("--batch " + std::to_string(options.batch) + " keeps only " + busy +
         " processes busy: each needs at least 128 examples of a minibatch, and at most 16 can "
         "share one" +
         (leaves == 1 ? "; this run is slower than one process"
                      : "; use a larger --batch or fewer processes"));
}

bool uses_cpu_engine(const TrainOptions& options, const std::string& device) {
  if (device != "cpu") return false;
  return options.engine == EngineKind::kFused ||
         (options.engine == EngineKind::kAuto && fused_engines_support(options.activation));
}

}  // namespace

std::string training_device(const TrainOptions& options, int processes) {
  const std::string device = resolve_device(options.device, options.engine);
  if (processes > 1 && device != "cpu") {
    throw UsageError(std::to_string(processes) +
                     " processes can only train on CPUs, found --device " + device +
                     "; use --device cpu, or start one process");
  }
  return device;
}

std::unique_ptr<Engine> make_engine(const TrainOptions& options, const std::string& device,
                                    const Mlp& initial, const Dataset& dataset,
                                    const Notify& notify, Communicator& processes) {
  if (device != "cpu" && options.engine == EngineKind::kFused) {
    return make_cuda_engine(options, initial, dataset, device);
  }
  if (uses_cpu_engine(options, device)) {
    const int threads = threads_of_process(options, processes, kMaxFusedThreads);
    if (processes.size() == 1 && options.threads == 0) {
      return std::make_unique<AdaptiveCpuEngine>(initial, dataset, options, threads);
    }
    notify_of_idle_processes(options, processes, notify);
    return std::make_unique<CpuEngine>(initial, dataset, options, threads, best_cpu_kernels(),
                                       processes);
  }
  if (options.profile) {
    throw UsageError("--profile needs the fused engine on a CPU; see --engine and --device");
  }
  return make_torch_engine(options, initial, dataset, device, notify, processes);
}

}  // namespace mnist
