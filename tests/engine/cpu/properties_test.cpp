// The fused engine takes the same steps as plain loops, for random networks, data and options.
#include "engine/cpu/engine.hpp"
#include "engine/cpu/scalar_engine.hpp"
#include "engine/engine_properties.hpp"

namespace mnist {
namespace {

PROPERTY(EngineProperties, FusedStepsAreThoseOfPlainLoops) {
  expect_same_steps(
      [](const Mlp& initial, const Dataset& set, const TrainOptions& options) {
        return CpuEngine(initial, set, options, *rc::gen::inRange(1, 5));
      },
      [](const Mlp& initial, const Dataset& set, const TrainOptions& options) {
        return ScalarEngine(initial, set, options);
      });
}

}  // namespace
}  // namespace mnist
