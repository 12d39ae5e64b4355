// An emulated CUDA device: runs the kernels' source with one CPU thread per CUDA thread. Memory
// starts as NaN, which exposes reads of uninitialized memory; under ThreadSanitizer, a missing
// barrier is a data race.
#pragma once

#include <barrier>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/cuda/device.hpp"
#include "engine/cuda/preparation-inl.hpp"
#include "engine/cuda/step-inl.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

/// A block's shared memory and barrier.
struct EmulatedBlockMemory {
  EmulatedBlockMemory(std::size_t floats, int threads)
      : storage(floats + kPadding, std::numeric_limits<float>::quiet_NaN()), barrier(threads) {
    void* start = storage.data();
    std::size_t space = storage.size() * sizeof(float);
    shared = static_cast<float*>(
        std::align(alignof(cuda::Float4), floats * sizeof(float), start, space));
  }

  static constexpr std::size_t kPadding = 4;
  std::vector<float> storage;
  float* shared;
  std::barrier<> barrier;
};

/// A Block as shard-inl.hpp describes it.
struct EmulatedBlock {
  int index;
  int blocks;
  int thread;
  int threads;
  float* shared;
  std::barrier<>& block_barrier;
  std::barrier<>& grid_barrier;
  std::optional<std::barrier<>::arrival_token> token = {};

  void sync() { block_barrier.arrive_and_wait(); }
  void arrive() { token.emplace(grid_barrier.arrive()); }
  void wait() { grid_barrier.wait(std::move(*token)); }
  float load_exchanged(const float* place) const { return *place; }
  cuda::Float4 load_exchanged4(const float* place) const {
    // A GPU fails with "misaligned address".
    if (reinterpret_cast<std::uintptr_t>(place) % alignof(cuda::Float4) != 0) {
      std::fputs("load_exchanged4 reads from a misaligned address\n", stderr);
      std::abort();
    }
    return *reinterpret_cast<const cuda::Float4*>(place);
  }
};

class EmulatedCudaDevice : public CudaDevice {
 public:
  explicit EmulatedCudaDevice(const CudaLimits& limits) : limits_(limits) {}

  std::string name() const override { return "emulation"; }
  CudaLimits limits() const override { return limits_; }

  void check_fits(const CudaPlan& /*plan*/) override {}

  std::shared_ptr<void> allocate(std::size_t bytes) override {
    constexpr int kAllBits = 0xFF;  // NaN in f32
    constexpr std::align_val_t kFloat4Alignment{alignof(cuda::Float4)};
    void* const memory = ::operator new(bytes, kFloat4Alignment);
    std::memset(memory, kAllBits, bytes);
    return {memory, [](void* allocated) { ::operator delete(allocated, kFloat4Alignment); }};
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }

  void train(const CudaPlan& plan, const CudaArgs& args) override {
    if (args.prepared != nullptr) {
      launch(limits_.blocks, limits_.threads, 2 * args.field_points(),
             [&](EmulatedBlock& block) { cuda::distort_images(plan, args, block); });
    }
    launch(plan.blocks, limits_.threads, plan.shared.end,
           [&](EmulatedBlock& block) { cuda::Trainer<EmulatedBlock>(plan, args, block).run(); });
  }

 private:
  template <class Kernel>
  static void launch(int blocks, int threads_per_block, int shared_floats, const Kernel& kernel) {
    std::vector<std::unique_ptr<EmulatedBlockMemory>> memories;
    std::barrier<> grid(blocks * threads_per_block);
    std::vector<std::thread> threads;
    for (int b = 0; b < blocks; ++b) {
      memories.push_back(std::make_unique<EmulatedBlockMemory>(
          static_cast<std::size_t>(shared_floats), threads_per_block));
      for (int t = 0; t < threads_per_block; ++t) {
        threads.emplace_back([&kernel, &grid, &memory = *memories.back(), blocks, threads_per_block,
                              b, t] {
          EmulatedBlock block{b, blocks, t, threads_per_block, memory.shared, memory.barrier, grid};
          kernel(block);
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
  }

  CudaLimits limits_;
};

}  // namespace mnist
