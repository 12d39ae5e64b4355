// A CUDA device that is none: runs the kernel's own source with a processor thread for each of its
// threads. Memory begins as NaN, so that what is read before it was written shows; under a thread
// sanitizer, a barrier that is missing shows as a data race.
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
#include "engine/cuda/prepare-inl.hpp"
#include "engine/cuda/step-inl.hpp"
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
    // Ends the test program: a GPU would end the kernel with "misaligned address".
    if (reinterpret_cast<std::uintptr_t>(place) % alignof(cuda::Four) != 0) {
      std::fputs("exchanged_four reads from a misaligned address\n", stderr);
      std::abort();
    }
    return *reinterpret_cast<const cuda::Four*>(place);
  }
};

class EmulatedCudaDevice : public CudaDevice {
 public:
  explicit EmulatedCudaDevice(const CudaLimits& limits) : limits_(limits) {}

  std::string name() const override { return "emulation"; }
  CudaLimits limits() const override { return limits_; }

  void check_fits(const CudaPlan& /*plan*/) override {}

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

  void prepare(const CudaPreparation& given) override {
    launch(limits_.blocks, limits_.threads, 0,
           [&](EmulatedBlock& block) { cuda::draw_masks(given, block); });
    if (given.prepared == nullptr) return;
    launch(limits_.blocks, limits_.threads, shared_floats_of(given),
           [&](EmulatedBlock& block) { cuda::distort_images(given, block); });
  }

  void train(const CudaPlan& plan, const CudaSteps& steps) override {
    launch(plan.blocks, plan.threads, plan.shared.end,
           [&](EmulatedBlock& block) { cuda::Trainer<EmulatedBlock>(plan, steps, block).run(); });
  }

 private:
  template <class Kernel>
  static void launch(int blocks, int threads_of_block, int shared_floats, const Kernel& kernel) {
    std::vector<std::unique_ptr<EmulatedBlockMemory>> memories;
    std::barrier<> grid(blocks * threads_of_block);
    std::vector<std::thread> threads;
    for (int b = 0; b < blocks; ++b) {
      memories.push_back(std::make_unique<EmulatedBlockMemory>(
          static_cast<std::size_t>(shared_floats), threads_of_block));
      for (int t = 0; t < threads_of_block; ++t) {
        threads.emplace_back([&kernel, &grid, &memory = *memories.back(), blocks, threads_of_block,
                              b, t] {
          EmulatedBlock block{b, blocks, t, threads_of_block, memory.shared, memory.meeting, grid};
          kernel(block);
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
  }

  CudaLimits limits_;
};

}  // namespace mnist
