// The device and the threads that LibTorch works with.
#pragma once

#include <cstdint>
#include <string>

namespace mnist {

/// "cpu" or "cuda:N" for what --device asks. "auto" takes CUDA when it works. Throws UsageError
/// when CUDA was asked for by name and is not there.
std::string resolve_device(const std::string& device);

/// Prepares LibTorch's CPU side, to be called before its first work: the number of threads (0
/// chooses) and the flushing of subnormal numbers.
void prepare_libtorch(std::int64_t threads);

/// "LibTorch 2.13.0 without CUDA".
std::string libtorch_description();

}  // namespace mnist
