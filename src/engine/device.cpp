// The device and the threads that LibTorch works with.
#include "mnist/engine/device.hpp"

#include <algorithm>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include "mnist/support/error.hpp"
#include "mnist/support/machine.hpp"

namespace mnist {
namespace {

// A minibatch of 32 is too little work for more: what a thread adds, waiting for it takes away.
constexpr int kMostHelpfulThreads = 4;

}  // namespace

std::string resolve_device(const std::string& device) {
  if (device == "cpu") return device;
  const auto count =
      static_cast<int>(torch::cuda::is_available() ? torch::cuda::device_count() : 0);
  if (device == "auto") return count > 0 ? "cuda:0" : "cpu";
  const int wanted = device == "cuda" ? 0 : std::stoi(device.substr(device.find(':') + 1));
  if (wanted < count) return "cuda:" + std::to_string(wanted);
  throw UsageError("--device " + device + " is not available: " + libtorch_description() +
                   " sees " + std::to_string(count) + " CUDA devices; use --device cpu or auto");
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
