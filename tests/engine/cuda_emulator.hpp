// A CUDA device that is none: runs the kernel's own source with a processor thread for each of its
// threads. Memory begins as NaN, so that what is read before it was written shows; under a thread
// sanitizer, a barrier that is missing shows as a data race.
#pragma once

#include <barrier>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/cuda_step-inl.hpp"
#include "mnist/engine/cuda_device.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

/// What the threads of a block share.
struct EmulatedBlockMemory {
  EmulatedBlockMemory(std::size_t floats, int threads)
      : room(floats + kFourFloats, std::numeric_limits<float>::quiet_NaN()), meeting(threads) {
    void* start = room.data();
    std::size_t space = room.size() * sizeof(float);
    shared =
        static_cast<float*>(std::align(alignof(cuda::Four), floats * sizeof(float), start, space));
  }

  static constexpr std::size_t kFourFloats = 4;
  std::vector<float> room;
  float* shared;
  std::barrier<> meeting;
};

/// What one thread knows of its surroundings.
struct EmulatedBlock {
  int index;
  int blocks;
  int thread;
  int threads;
  float* shared;
  std::barrier<>& of_block;
  std::barrier<>& of_grid;
  std::optional<std::barrier<>::arrival_token> token = {};

  void sync() { of_block.arrive_and_wait(); }
  void arrive() { token.emplace(of_grid.arrive()); }
  void wait() { of_grid.wait(std::move(*token)); }
  float exchanged(const float* place) const { return *place; }
  cuda::Four exchanged_four(const float* place) const {
    return *reinterpret_cast<const cuda::Four*>(place);
  }
};

class EmulatedCudaDevice : public CudaDevice {
 public:
  explicit EmulatedCudaDevice(const CudaLimits& limits) : limits_(limits) {}
  ~EmulatedCudaDevice() override = default;

  std::string name() const override { return "emulation"; }
  CudaLimits limits() const override { return limits_; }

  void* allocate(std::size_t bytes) override {
    constexpr int kAllBits = 0xFF;  // NaN, as f32
    void* const memory = ::operator new(bytes, std::align_val_t{alignof(cuda::Four)});
    std::memset(memory, kAllBits, bytes);
    return memory;
  }
  void release(void* memory) noexcept override {
    ::operator delete(memory, std::align_val_t{alignof(cuda::Four)});
  }
  void upload(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }

  void train(const CudaPlan& plan, const CudaSteps& steps) override {
    std::vector<std::unique_ptr<EmulatedBlockMemory>> memories;
    std::barrier<> grid(plan.blocks * plan.threads);
    std::vector<std::thread> threads;
    for (int b = 0; b < plan.blocks; ++b) {
      memories.push_back(std::make_unique<EmulatedBlockMemory>(
          static_cast<std::size_t>(plan.shared.end), plan.threads));
      for (int t = 0; t < plan.threads; ++t) {
        threads.emplace_back([&plan, &steps, &grid, &memory = *memories.back(), b, t] {
          EmulatedBlock block{b, plan.blocks, t, plan.threads, memory.shared, memory.meeting, grid};
          cuda::Trainer<EmulatedBlock>(plan, steps, block).run();
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
  }

 private:
  CudaLimits limits_;
};

}  // namespace mnist
