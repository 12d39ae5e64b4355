// Asks LibTorch and the CUDA runtime for GPUs.
#include "engine/torch/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include "engine/cuda/device.hpp"
#include "engine/threads.hpp"
#include "mnist/support/error.hpp"
#include "support/text.hpp"

namespace mnist {
namespace {

CudaPresence libtorch_cuda() {
  if (torch::cuda::is_available()) return {static_cast<int>(torch::cuda::device_count()), {}};
  if (!at::globalContext().hasCUDA()) return {0, libtorch_description()};
  const CudaPresence cuda = find_cuda_devices();
  return {0, libtorch_description() + " finds no GPU" +
                 (cuda.devices == 0 ? ": " + cuda.reason : std::string())};
}

bool is_cpu(const std::string& device) {
  return device == "cpu" || device == "auto";
}

}  // namespace

int cuda_index(const std::string& device) {
  const std::size_t colon = device.find(':');
  return colon == std::string::npos ? 0 : std::stoi(device.substr(colon + 1));
}

std::string resolve_device(const std::string& device, EngineKind engine) {
  if (is_cpu(device)) return "cpu";
  const CudaPresence cuda = engine == EngineKind::kFused ? find_cuda_devices() : libtorch_cuda();
  if (cuda.devices == 0) {
    throw Error("--device " + device + " is not available: " + cuda.reason + "; use --device cpu");
  }
  const int index = cuda_index(device);
  if (index < cuda.devices) return "cuda:" + std::to_string(index);
  throw UsageError("--device " + device + ": this machine has " + counted(cuda.devices, "GPU") +
                   "; the first is cuda:0");
}

std::string evaluation_device(const std::string& device) {
  return is_cpu(device) || cuda_index(device) >= libtorch_cuda().devices ? "cpu" : device;
}

void prepare_libtorch(std::int64_t threads) {
  // Adam's moments of weights without a gradient decay into subnormal numbers, which are many times
  // slower. Threads that are started later inherit the setting.
  at::globalContext().setFlushDenormal(true);
  at::set_num_threads(thread_count(threads, kMaxLibtorchThreads));
}

std::string libtorch_description() {
  return std::string("LibTorch ") + TORCH_VERSION +
         (at::globalContext().hasCUDA() ? " with CUDA" : " without CUDA");
}

}  // namespace mnist
