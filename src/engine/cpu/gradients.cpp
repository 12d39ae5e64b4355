// The last part of a step of the fused CPU engine: gradients of the weights, their norms, and Adam.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "engine/cpu/engine.hpp"

namespace mnist {
namespace {

double sum_of(const AlignedVector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// The sums of the squared gradients of a layer's weights, and of its biases.
std::array<double, 2> squared_gradients(const CpuLayer& layer) {
  double weights = 0;
  for (const CpuSlice& slice : layer.slices) weights += sum_of(slice.weights.squares);
  return {weights, sum_of(layer.bias.squares)};
}

}  // namespace

/// Updates the thread's parameters at the end of a step.
void CpuEngine::backward_weight(int thread, const CpuMicrobatch& part, double learning_rate,
                                bool measure) {
  const bool exchanged = !part.whole() && exchange_.has_value();
  const bool measured = measure || options_.clip_norm > 0;
  // What is read more than once is stored, except for a whole minibatch, which is quicker to
  // repeat.
  const bool stored = !part.whole() && (exchanged || measured || !part.ends_step);
  if (stored && part.examples > 0) use_gradients(thread, part, {.to_stack = true});
  if (!part.ends_step) return;
  if (exchanged) exchange_gradients(thread, part);
  OptimizerStep step = optimizer_step(options_, steps_done_ + 1 + part.step, learning_rate);
  if (measured) {
    use_gradients(thread, part, {.from_stack = stored});
    barrier(thread);
  }
  if (options_.clip_norm > 0) step.clip = clip_factor();
  use_gradients(thread, part, {.from_stack = stored, .step = &step});
}

/// Computes the gradients of the thread's parameters, and does with them what `pass` says.
void CpuEngine::use_gradients(int thread, const CpuMicrobatch& part, const GradientPass& pass) {
  const auto use_of = [&](const CpuParameters& parameters) {
    const std::span<float* const> stack = parameters.gradients;
    GradientUse use{.step = pass.step};
    if (pass.from_stack) {
      use.start = stack[0];
    } else if (!part.whole()) {
      // Continues the sum over the minibatch: with the top of its stack, and the additions there
      // that are due.
      use.start = part.starts_leaf ? nullptr : stack[part.depth];
      use.sums = stack.subspan(part.depth - part.additions, part.additions);
    }
    if (pass.to_stack) use.target = stack[part.depth - part.additions];
    return use;
  };
  const float average_weight = pass.step == nullptr ? 0 : pass.step->average_weight;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    CpuLayer& layer = layers_[l];
    const OwnWeights own = layer.own_weights(thread);
    const Rows deltas = deltas_of(l, thread);
    LayerInputs inputs = inputs_of(l, part, thread);
    if (pass.from_stack) inputs.tiles = 0;
    for (CpuSlice& slice : own.slices) {
      if (own.begin == own.end) break;
      kernels_.backward_weight(inputs, own.begin, own.end,
                               {deltas.data + slice.begin, deltas.stride}, slice.weights.view(),
                               use_of(slice.weights), slice.active.data());
      const std::size_t columns = slice.weights.columns;
      slice.weights.average(own.begin * columns, own.end * columns, average_weight);
    }
    const Share units = layer.own_units(thread);
    kernels_.backward_bias(deltas, pass.from_stack ? 0 : part.examples, units.begin, units.end,
                           layer.bias.view(), use_of(layer.bias));
    layer.bias.average(units.begin, units.end, average_weight);
    local_of(thread).clock.end(l == 0 ? Phase::kFirstUpdate : Phase::kUpdate);
  }
}

/// Adds the gradients of all processes.
void CpuEngine::exchange_gradients(int thread, const CpuMicrobatch& part) {
  barrier(thread);
  if (thread == 0) exchange_->sum(leaves_of(part.minibatch), gradients_);
  local_of(thread).clock.end(Phase::kExchange);
  barrier(thread);
}

float CpuEngine::clip_factor() const {
  double squares = 0;
  for (const CpuLayer& layer : layers_) {
    const auto [weights, bias] = squared_gradients(layer);
    squares += weights + bias;
  }
  return static_cast<float>(
      std::min(1.0, options_.clip_norm / (std::sqrt(squares) + kClipEpsilon)));
}

NamedNorms CpuEngine::gradient_norms() const {
  NamedNorms norms;
  const std::vector<ParameterInfo> parameters = parameter_table(shape_);
  for (const CpuLayer& layer : layers_) {
    for (const double squares : squared_gradients(layer)) {
      norms.emplace_back(parameters[norms.size()].name, std::sqrt(squares));
    }
  }
  return norms;
}

}  // namespace mnist
