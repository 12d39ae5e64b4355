// Stands in for cuda_kernels.cu in builds without nvcc.
#include "engine/cuda/device.hpp"

namespace mnist {

CudaPresence find_cuda_devices() {
  return {0, "this program was built without CUDA: nvcc was not found when it was configured"};
}

std::unique_ptr<CudaDevice> open_cuda_device(int /*number*/) {
  throw CudaUnsupported(find_cuda_devices().reason);
}

}  // namespace mnist
