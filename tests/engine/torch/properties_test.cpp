// LibTorch takes the same steps as the fused engine, for random networks, data and options.
#include "engine/cpu/engine.hpp"
#include "engine/engine_properties.hpp"
#include "engine/torch/device.hpp"
#include "engine/torch/engine.hpp"

namespace mnist {
namespace {

PROPERTY(TorchProperties, StepsAreThoseOfTheFusedEngine) {
  prepare_libtorch(1);
  expect_same_steps(
      [](const Mlp& initial, const Dataset& set, const TrainOptions& options) {
        return TorchEngine(initial, set, options, torch::kCPU);
      },
      [](const Mlp& initial, const Dataset& set, const TrainOptions& options) {
        return CpuEngine(initial, set, options, 1);
      });
}

}  // namespace
}  // namespace mnist
