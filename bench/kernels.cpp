// Microbenchmarks of the fused CPU engine's kernels for every instruction set, on the first layer
// of the default network and real pixels.
//
// usage: kernels [--benchmark_filter=REGEX]; reads data/mnist-subset
#include "engine/cpu/kernels.hpp"

#include <benchmark/benchmark.h>
#include <string>
#include <vector>

#include "mnist/data/dataset.hpp"
#include "support/aligned.hpp"

namespace mnist {
namespace {

constexpr std::size_t kInputs = 784;

/// One minibatch of 32 real digits and a slice of the first layer's parameters.
class FirstLayer {
 public:
  FirstLayer(const CpuKernels& kernels, std::size_t columns)
      : kernels_(kernels),
        columns_(columns),
        dataset_(load_dataset(std::string(MNIST_SOURCE_DIR) + "/data/mnist-subset", Split::kTrain)),
        pixels_(kInputs * kTile),
        masks_(kInputs),
        active_(kInputs / 2),
        weights_(kInputs * columns, 0.01F),
        first_(kInputs * columns, 0.0F),
        second_(kInputs * columns, 0.0F),
        outputs_(kTile * columns, 0.5F),
        bias_(columns, 0.0F) {
    flush_subnormals();
    for (std::size_t e = 0; e < kTile; ++e) images_[e] = dataset_.images.data() + e * kInputs;
    transpose();
  }

  void transpose() {
    kernels_.transpose_pixels(images_, 0, kInputs, nullptr, pixels_.data(), masks_.data());
  }
  void forward() {
    kernels_.linear_forward(inputs(), {0, kInputs}, kTile, slice(), bias_.data(),
                            {outputs_.data(), columns_});
    benchmark::DoNotOptimize(outputs_.data());
  }
  void update() {
    const OptimizerStep step{.rate = 1e-4F, .root_scale = 0.03F};
    kernels_.backward_weight(inputs(), 0, kInputs, {outputs_.data(), columns_}, slice(),
                             {.step = &step}, active_.data());
    benchmark::DoNotOptimize(weights_.data());
  }

 private:
  LayerInputs inputs() const {
    return {kInputs, 1, masks_.data(), pixels_.data(), values_.data(), nullptr, 0};
  }
  ParameterSlice slice() { return {columns_, weights_.data(), first_.data(), second_.data()}; }

  const CpuKernels& kernels_;
  std::size_t columns_;
  Dataset dataset_;
  const std::uint8_t* images_[kTile];
  AlignedVector<std::uint8_t> pixels_;
  const std::vector<float> values_ = pixel_values();
  AlignedVector<std::uint32_t> masks_;
  std::vector<std::uint8_t> active_;
  AlignedVector<float> weights_, first_, second_, outputs_, bias_;
};

/// Registers `work` on a slice of `columns` outputs. `dense` is the number of floating-point
/// operations of the dense product, for comparison with the peak that ceilings.cpp measures; 0
/// reports no rate.
void add(const CpuKernels& kernels, const std::string& name, std::size_t columns, double dense,
         void (FirstLayer::*work)()) {
  const std::string full = name + "/" + kernels.target + "/" + std::to_string(columns);
  benchmark::RegisterBenchmark(full.c_str(), [=, &kernels](benchmark::State& state) {
    FirstLayer layer(kernels, columns);
    for (auto _ : state) (layer.*work)();
    if (dense > 0) {
      state.counters["dense_flops"] =
          benchmark::Counter(dense, benchmark::Counter::kIsIterationInvariantRate);
    }
  })->Unit(benchmark::kMicrosecond);
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  using namespace mnist;
  for (const CpuKernels* kernels : all_cpu_kernels()) {
    add(*kernels, "transpose_pixels", kBlock, 0, &FirstLayer::transpose);
    const std::size_t columns = kernels->slice_columns;
    const double dense = 2.0 * kTile * kInputs * static_cast<double>(columns);
    add(*kernels, "forward", columns, dense, &FirstLayer::forward);
    add(*kernels, "update", columns, dense, &FirstLayer::update);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
