// The CUDA engine's kernels, and the CudaDevice that launches them on a real GPU.
#include <cooperative_groups.h>
#include <cstdlib>
#include <cuda_runtime.h>
#include <string>

#include "engine/cuda/device.hpp"
#include "engine/cuda/preparation-inl.hpp"
#include "engine/cuda/step-inl.hpp"
#include "mnist/support/error.hpp"

namespace mnist {
namespace {

/// Four warps for each of a multiprocessor's four schedulers; leaves 128 registers per thread.
constexpr int kThreads = 512;

constexpr int kMinMajorCapability = 8;  // the oldest that find_nvcc.cmake compiles for
constexpr int kDistortionBlocks = 4;    // per multiprocessor

/// A Block as shard-inl.hpp describes it. Only cooperative launches may use its grid barrier.
struct GpuBlock {
  static constexpr int threads = kThreads;
  int index;
  int blocks;
  int thread;
  float* shared;
  cooperative_groups::grid_group grid = cooperative_groups::this_grid();
  cooperative_groups::grid_group::arrival_token token = {};

  __device__ __forceinline__ void sync() { __syncthreads(); }
  __device__ __forceinline__ void arrive() { token = grid.barrier_arrive(); }
  __device__ __forceinline__ void wait() {
    grid.barrier_wait(static_cast<cooperative_groups::grid_group::arrival_token&&>(token));
  }
  // Bypasses the L1 cache, which does not see other blocks' writes.
  __device__ __forceinline__ float load_exchanged(const float* p) const { return __ldcg(p); }
  __device__ __forceinline__ cuda::Float4 load_exchanged4(const float* p) const {
    const float4 four = __ldcg(reinterpret_cast<const float4*>(p));
    return {{four.x, four.y, four.z, four.w}};
  }
};

__device__ __forceinline__ GpuBlock this_block() {
  extern __shared__ float4 shared[];
  return {static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x), static_cast<int>(threadIdx.x),
          reinterpret_cast<float*>(shared)};
}

__global__ void __launch_bounds__(kThreads, 1)
    train_kernel(const __grid_constant__ CudaPlan plan, const __grid_constant__ CudaArgs args) {
  GpuBlock block = this_block();
  cuda::Trainer<GpuBlock>(plan, args, block).run();
}

__global__ void __launch_bounds__(kThreads)
    distort_kernel(const __grid_constant__ CudaPlan plan, const __grid_constant__ CudaArgs args) {
  GpuBlock block = this_block();
  cuda::distort_images(plan, args, block);
}

class RealCudaDevice : public CudaDevice {
 public:
  /// Opens the device and checks that train_kernel can run on it.
  explicit RealCudaDevice(int number) : name_("cuda:" + std::to_string(number)) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, number), "querying the device");
    name_ += std::string(" (") + properties.name + ")";
    limits_ = {properties.multiProcessorCount, kThreads, properties.sharedMemPerBlockOptin};
    const std::string capability =
        std::to_string(properties.major) + "." + std::to_string(properties.minor);
    if (properties.major < kMinMajorCapability) {
      throw error("compute capability " + capability + " is too old; the CUDA kernel needs " +
                  std::to_string(kMinMajorCapability) + ".0 or newer");
    }
    check(cudaSetDevice(number), "opening the device");
    cudaFuncAttributes attributes;
    const cudaError_t loaded = cudaFuncGetAttributes(&attributes, train_kernel);
    if (loaded == cudaErrorNoKernelImageForDevice || loaded == cudaErrorInvalidDeviceFunction) {
      throw error("this program was built without code for compute capability " + capability);
    }
    check(loaded, "loading the kernel");
    if (properties.cooperativeLaunch == 0) {
      throw error("the device does not support cooperative launches");
    }
  }

  std::string name() const override { return name_; }
  CudaLimits limits() const override { return limits_; }

  void check_fits(const CudaPlan& plan) override {
    check(reserve_shared_memory(plan), "reserving shared memory");
    int blocks = 0;
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, train_kernel, kThreads,
                                                        plan.shared_bytes()),
          "querying the occupancy");
    if (blocks == 0) throw error("a multiprocessor cannot hold one block of the kernel");
  }

  std::shared_ptr<void> allocate(std::size_t bytes) override {
    void* memory = nullptr;
    const cudaError_t result = cudaMalloc(&memory, bytes);
    if (result == cudaErrorMemoryAllocation) throw out_of_memory(bytes);
    check(result, "allocating memory");
    return {memory, cudaFree};
  }

  void copy(void* to, const void* from, std::size_t bytes) override {
    check(cudaMemcpy(to, from, bytes, cudaMemcpyDefault), "running the kernel or copying memory");
  }

  void train(const CudaPlan& plan, const CudaArgs& args) override {
    if (args.prepared != nullptr) {
      const auto blocks = static_cast<unsigned>(kDistortionBlocks * limits_.blocks);
      distort_kernel<<<blocks, kThreads, args.field_bytes()>>>(plan, args);
      check(cudaGetLastError(), "launching the distortion kernel");
    }
    CudaPlan plan_argument = plan;
    CudaArgs args_argument = args;
    void* arguments[] = {&plan_argument, &args_argument};
    check(reserve_shared_memory(plan), "reserving shared memory");
    check(cudaLaunchCooperativeKernel(train_kernel, dim3(static_cast<unsigned>(plan.blocks)),
                                      dim3(kThreads), arguments, plan.shared_bytes(), nullptr),
          "launching the training kernel");
  }

 private:
  static cudaError_t reserve_shared_memory(const CudaPlan& plan) {
    return cudaFuncSetAttribute(train_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(plan.shared_bytes()));
  }

  void check(cudaError_t result, const std::string& doing) const {
    if (result != cudaSuccess) throw error(doing + " failed: " + cudaGetErrorString(result));
  }

  Error error(const std::string& problem) const {
    return Error(name_ + ": " + problem + "; use --engine torch or --device cpu");
  }

  Error out_of_memory(std::size_t bytes) const {
    cudaGetLastError();  // clears the error, which the next launch would report
    std::string problem = "out of memory allocating " + std::to_string(bytes >> 20) + " MiB";
    std::size_t free = 0;
    std::size_t total = 0;
    if (cudaMemGetInfo(&free, &total) == cudaSuccess) {
      problem += ", " + std::to_string(free >> 20) + " of " + std::to_string(total >> 20) +
                 " MiB are free";
    }
    return Error(name_ + ": " + problem +
                 "; stop other programs on it (see nvidia-smi) or use --device cpu");
  }

  std::string name_;
  CudaLimits limits_;
};

std::string reason_for(cudaError_t result) {
  int driver = 0;
  int runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const auto version = [](int number) {
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
  };
  if (driver == 0) return "no NVIDIA driver was found";
  if (result == cudaErrorInsufficientDriver) {
    return "the NVIDIA driver supports CUDA " + version(driver) + ", but this program needs " +
           version(runtime) + "; install a newer driver";
  }
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (result == cudaErrorNoDevice && visible != nullptr) {
    return "CUDA_VISIBLE_DEVICES=" + std::string(visible) + " hides every GPU";
  }
  return cudaGetErrorString(result);
}

}  // namespace

CudaPresence find_cuda_devices() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result == cudaSuccess && count > 0) return {count, {}};
  return {0, reason_for(result == cudaSuccess ? cudaErrorNoDevice : result)};
}

std::unique_ptr<CudaDevice> open_cuda_device(int number) {
  return std::make_unique<RealCudaDevice>(number);
}

}  // namespace mnist
