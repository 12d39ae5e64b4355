// What trains: the parameters, the optimiser's state, and one operation, steps on given rows.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mnist/model/state_dict.hpp"

namespace mnist {

/// Consecutive optimisation steps, one a minibatch.
struct Steps {
  std::span<const std::int64_t> rows;      ///< rows of the data set in training order
  std::int64_t batch = 0;                  ///< rows of a minibatch; the last one may be shorter
  std::span<const double> learning_rates;  ///< one for each minibatch
  std::int64_t epoch = 1;                  ///< in which form distorted images are seen

  /// How many minibatches the rows make.
  std::int64_t count() const { return (std::ssize(rows) + batch - 1) / batch; }
};

/// What the steps showed. The loss of a minibatch is its mean before its own step.
struct StepsResult {
  std::vector<float> losses;  ///< one for each minibatch
  std::int64_t correct = 0;   ///< rows whose class was guessed right, before their own step
};

/// The size of something for each parameter, by name.
using NamedNorms = std::vector<std::pair<std::string, double>>;

/// Everything that an engine needs to go on where it, or another one, left off. Without dropped
/// bits: an engine that is given its own state goes on as if it had never stopped.
struct EngineState {
  std::int64_t steps = 0;
  StateDict weights;
  StateDict first_moments;   ///< times first_scale, Adam's first moments
  StateDict second_moments;  ///< times second_scale, Adam's second moments
  StateDict averages;        ///< of the weights; empty when none are kept
  double first_scale = 1;
  double second_scale = 1;
};

/// Owns parameters and optimiser state, and trains them on the data set that it was made with.
class Engine {
 public:
  Engine() = default;
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Takes the steps in their order.
  virtual StepsResult train(const Steps& steps) = 0;

  /// A copy of the parameters as they are now; of their averages when those are kept.
  virtual StateDict parameters() const = 0;

  /// A copy of everything, and the way back; `state` must be of a network of the same shape.
  virtual EngineState state() const = 0;
  virtual void restore(const EngineState& state) = 0;

  /// L2 norm of the gradient of the last minibatch, for each parameter.
  virtual NamedNorms gradient_norms() const = 0;

  /// For people: "autograd on cpu, 2 threads".
  virtual std::string description() const = 0;
};

}  // namespace mnist
