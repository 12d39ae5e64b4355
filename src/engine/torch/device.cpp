// The device and the threads that LibTorch works with.
#include "engine/torch/device.hpp"

#include <algorithm>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include "engine/cuda/device.hpp"
#include "mnist/support/error.hpp"
#include "support/machine.hpp"

namespace mnist {
namespace {

// A minibatch of 32 is too little work for more: what a thread adds, waiting for it takes away.
constexpr int kMostHelpfulThreads = 4;

int libtorch_devices() {
  return static_cast<int>(torch::cuda::is_available() ? torch::cuda::device_count() : 0);
}

/// Why LibTorch has no device.
std::string libtorch_reason() {
  if (!at::globalContext().hasCUDA()) return libtorch_description();
  const CudaPresence cuda = find_cuda_devices();
  return libtorch_description() + " finds no GPU" +
         (cuda.devices == 0 ? ": " + cuda.reason : std::string());
}

/// What resolve_device() says of any device but the CPU.
std::string resolve(const std::string& device, const CudaPresence& cuda, const Notify& notify) {
  if (device == "auto") {
    if (cuda.devices > 0) return "cuda:0";
    notify("working on the CPU: " + cuda.reason);
    return "cpu";
  }
  if (cuda.devices == 0) {
    throw Error("--device " + device + " is not available: " + cuda.reason +
                "; use --device cpu or auto");
  }
  const int wanted = cuda_number(device);
  if (wanted < cuda.devices) return "cuda:" + std::to_string(wanted);
  throw UsageError("--device " + device + ": there are " + std::to_string(cuda.devices) +
                   " GPUs, the first is cuda:0");
}

}  // namespace

int cuda_number(const std::string& device) {
  const std::size_t colon = device.find(':');
  return colon == std::string::npos ? 0 : std::stoi(device.substr(colon + 1));
}

std::string resolve_device(const std::string& device, const Notify& notify) {
  if (device == "cpu") return device;
  CudaPresence cuda{libtorch_devices(), {}};
  if (cuda.devices == 0) cuda.reason = libtorch_reason();
  return resolve(device, cuda, notify);
}

std::string resolve_training_device(const std::string& device, const Notify& notify) {
  if (device == "cpu") return device;
  CudaPresence cuda = find_cuda_devices();
  cuda.devices = std::max(cuda.devices, libtorch_devices());
  return resolve(device, cuda, notify);
}

std::string libtorch_device(const std::string& device) {
  return device == "cpu" || cuda_number(device) >= libtorch_devices() ? "cpu" : device;
}

void prepare_libtorch(std::int64_t threads) {
  // Adam's moments of weights without gradient decay into subnormal numbers, which processors
  // handle many times slower than others. Threads started later inherit the setting.
  at::globalContext().setFlushDenormal(true);
  at::set_num_threads(threads > 0 ? static_cast<int>(threads)
                                  : std::min(available_cores(), kMostHelpfulThreads));
}

std::string libtorch_description() {
  return std::string("LibTorch ") + TORCH_VERSION +
         (at::globalContext().hasCUDA() ? " with CUDA" : " without CUDA");
}

}  // namespace mnist
