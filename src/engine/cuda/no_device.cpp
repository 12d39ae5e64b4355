// Replaces kernels.cu in builds without nvcc.
#include "engine/cuda/device.hpp"

namespace mnist {

CudaPresence find_cuda_devices() {
  return {0, "this program was built without CUDA support"};
}

std::unique_ptr<CudaDevice> open_cuda_device(int /*number*/) {
  throw Error(find_cuda_devices().reason);
}

}  // namespace mnist
