// The interface of all engines: parameters, optimizer state, and one operation, training steps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mnist/model/mlp.hpp"

namespace mnist {

/// Consecutive optimization steps, one for each minibatch.
struct Steps {
  std::span<const std::int64_t> indices;   ///< examples of the dataset, in training order
  std::int64_t batch = 0;                  ///< examples in a minibatch; the last may be shorter
  std::span<const double> learning_rates;  ///< one for each minibatch
  std::int64_t epoch = 1;                  ///< selects the distortion of augmented images
  double augment_strength = 1;             ///< see AugmentOptions::weakened()

  /// The number of minibatches.
  std::int64_t count() const { return (std::ssize(indices) + batch - 1) / batch; }

  /// The examples of minibatch i, from 0; empty beyond the last.
  std::span<const std::int64_t> minibatch(std::int64_t i) const {
    const std::int64_t begin = std::min(i * batch, std::ssize(indices));
    return indices.subspan(static_cast<std::size_t>(begin),
                           static_cast<std::size_t>(std::min(batch, std::ssize(indices) - begin)));
  }
};

/// The trainer asks for at most this many steps at once; engines may reserve memory for them.
inline constexpr std::int64_t kMaxChunkSteps = 4096;

/// What the steps measured, each minibatch before its own step.
struct StepsResult {
  std::vector<float> losses;  ///< mean cross-entropy of each minibatch
  std::int64_t correct = 0;   ///< examples that were classified correctly
};

/// L2 norms by parameter name.
using NamedNorms = std::vector<std::pair<std::string, double>>;

/// Where the time of training went, for --profile.
struct StepProfile {
  struct Phase {
    std::string name;
    std::vector<double> seconds;  ///< of each thread
  };
  std::int64_t steps = 0;
  std::vector<Phase> phases;
};

/// Everything that an engine needs to resume training. An engine that is given its own state back
/// continues with bitwise identical results; given another engine's state, with results that are
/// equal up to rounding.
struct EngineState {
  std::int64_t steps = 0;
  Mlp weights;
  Mlp first_moments;            ///< in Adam's own scale, without bias correction
  Mlp second_moments;           ///< the same
  std::optional<Mlp> averages;  ///< of the weights, with --ema
};

/// Owns parameters and optimizer state, and trains them on the dataset that it was made with. Not
/// thread-safe; errors of a device are thrown as Error by whichever call notices them.
class Engine {
 public:
  Engine() = default;
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Takes the steps in order and returns when all are done.
  virtual StepsResult train(const Steps& steps) = 0;

  /// A copy of the current parameters; of their averages with --ema.
  virtual Mlp parameters() const = 0;

  /// A copy of the whole state, and its inverse; `state` must have the engine's shape.
  virtual EngineState state() const = 0;
  virtual void restore(const EngineState& state) = 0;

  /// The norm of the last minibatch's gradient for each parameter, before clipping.
  virtual NamedNorms gradient_norms() const = 0;

  /// For users: "torch on cpu, 2 threads".
  virtual std::string description() const = 0;

  /// CPU threads that train() computes with, which may change between calls; 0 on a GPU.
  virtual int threads() const = 0;

  /// The phases of the steps since the number of threads last changed; none without --profile, and
  /// of engines that do not measure them.
  virtual StepProfile profile() const { return {}; }
};

}  // namespace mnist
