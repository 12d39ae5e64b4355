// Compares losses step by step.
#include "engine/cuda/self_check.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "mnist/support/error.hpp"

namespace mnist {

void check_against_reference(Engine& engine, Engine& reference, const TrainOptions& options,
                             std::int64_t examples) {
  constexpr double kTolerance = 1e-4;
  std::vector<std::int64_t> indices(
      static_cast<std::size_t>(std::min(examples, kSelfCheckSteps * options.batch)));
  std::iota(indices.begin(), indices.end(), 0);
  const std::vector<double> rates(static_cast<std::size_t>(kSelfCheckSteps), options.lr);
  const Steps steps{indices, options.batch, rates};
  const std::vector<float> expected = reference.train(steps).losses;
  const std::vector<float> losses = engine.train(steps).losses;
  for (std::size_t i = 0; i < expected.size() && std::isfinite(expected[i]); ++i) {
    const double allowed = kTolerance * std::max(1.0, std::abs(double{expected[i]}));
    // Negated, so that NaN fails.
    if (!(std::abs(double{losses[i]} - double{expected[i]}) <= allowed)) {
      std::ostringstream message;
      message.precision(9);  // tells any two floats apart
      message << "the self-check of the engine \"" << engine.description() << "\" failed: loss "
              << losses[i] << " at step " << i + 1 << ", but the reference has " << expected[i]
              << "; use --engine torch";
      throw Error(message.str());
    }
  }
}

}  // namespace mnist
