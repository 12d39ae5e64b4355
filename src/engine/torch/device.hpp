// The devices and the threads that LibTorch works with.
#pragma once

#include <cstdint>
#include <string>

#include "mnist/engine/engine_kind.hpp"

namespace mnist {

/// LibTorch's name of the device that --device names; see training_device(). The fused engine can
/// use a GPU that LibTorch was built without.
std::string resolve_device(const std::string& device, EngineKind engine = EngineKind::kTorch);

/// `device` where LibTorch has it, else "cpu".
std::string evaluation_device(const std::string& device);

/// N of "cuda:N", 0 of "cuda".
int cuda_index(const std::string& device);

/// Configures LibTorch on the CPU, before it first computes. 0 threads: the default number.
void prepare_libtorch(std::int64_t threads);

/// "LibTorch 2.13.0 without CUDA".
std::string libtorch_description();

}  // namespace mnist
