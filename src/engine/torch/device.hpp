// The device and the threads that LibTorch works with.
#pragma once

#include <cstdint>
#include <string>

#include "mnist/support/error.hpp"

namespace mnist {

/// "cpu" or "cuda:N", as LibTorch has it, for what --device asks. "auto" takes CUDA when it works,
/// and says why when it does not. Throws Error with the reason when CUDA was asked for by name and
/// is not there, UsageError when it has fewer devices.
std::string resolve_device(const std::string& device, const Notify& notify);

/// The same for training, which our own kernel can do where LibTorch has no CUDA.
std::string resolve_training_device(const std::string& device, const Notify& notify);

/// N of "cuda:N", 0 of "cuda".
int cuda_number(const std::string& device);

/// `device` where LibTorch has it, else "cpu": what evaluates a network that our kernel trains.
std::string libtorch_device(const std::string& device);

/// Prepares LibTorch's CPU side, to be called before its first work: the number of threads (0
/// chooses) and the flushing of subnormal numbers.
void prepare_libtorch(std::int64_t threads);

/// "LibTorch 2.13.0 without CUDA".
std::string libtorch_description();

}  // namespace mnist
