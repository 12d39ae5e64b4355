// The last part of a step of the fused CPU engine: gradients of the weights, and Adam; and what the
// microbatches of all processes add up to.
#include <algorithm>
#include <cmath>

#include "engine/cpu/engine.hpp"

namespace mnist {

/// The biases that a thread updates: of its own units; those of the logits belong to thread 0.
Share CpuEngine::own_bias(std::size_t layer, int thread) const {
  if (layer + 1 < layers_.size()) return layers_[layer].own_units(thread);
  const std::size_t columns = thread == 0 ? layers_[layer].padded : 0;
  return {columns, kBlock, 0, 1};
}

/// Calls work(parameters, begin, end) with what the thread owns of each array.
template <class Work>
void CpuEngine::for_each_own(int thread, const Work& work) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const OwnWeights own = layers_[l].own_weights(thread);
    for (CpuSlice& slice : own.slices) {
      const std::size_t columns = slice.weights.columns;
      work(slice.weights, own.begin * columns, own.end * columns);
    }
    const Share bias = own_bias(l, thread);
    work(layers_[l].bias, bias.begin, bias.end);
  }
}

/// Computes the gradients of the thread's parameters from a microbatch, or takes the `stored` ones,
/// and does with them what use_of(parameters) says.
template <class UseOf>
void CpuEngine::products(int thread, std::size_t microbatch, bool stored, const UseOf& use_of) {
  const std::size_t examples = stored ? 0 : microbatches_.at(microbatch).examples;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    CpuLayer& layer = layers_[l];
    const OwnWeights own = layer.own_weights(thread);
    const Rows deltas = deltas_of(l, thread);
    LayerInputs inputs = inputs_of(l, microbatch, thread);
    if (stored) inputs.tiles = 0;
    for (CpuSlice& slice : own.slices) {
      if (own.begin == own.end) break;
      kernels_.backward_weight(inputs, own.begin, own.end,
                               {deltas.data + slice.begin, deltas.stride}, slice.weights.view(),
                               use_of(slice.weights), slice.active.data());
    }
    const Share bias = own_bias(l, thread);
    kernels_.backward_bias(deltas, examples, bias.begin, bias.end, layer.bias.view(),
                           use_of(layer.bias));
    own_of(thread).clock.end(l == 0 ? Phase::kFirstUpdate : Phase::kUpdate);
  }
}

/// How the gradient of a microbatch continues the sum over the minibatch: on top of its stack, and
/// with the additions there that are due.
GradientUse CpuEngine::continue_sum(const CpuMicrobatch& part, CpuParameters& parameters) {
  if (part.whole()) return {};
  const std::span<float* const> stack = parameters.gradients;
  return {.start = part.starts_leaf ? nullptr : stack[part.depth],
          .sums = stack.subspan(part.depth - part.additions, part.additions)};
}

/// Adds the gradient of a microbatch to the sum over the minibatch.
void CpuEngine::store_gradient(int thread, std::size_t microbatch) {
  const CpuMicrobatch& part = microbatches_.at(microbatch);
  products(thread, microbatch, false, [&](CpuParameters& parameters) {
    GradientUse use = continue_sum(part, parameters);
    use.target = parameters.gradients[part.depth - part.additions];
    return use;
  });
}

/// Updates the thread's parameters with the `stored` gradient, or with that of the microbatch and
/// the sum that it completes. Without a `step`, sums the squares of the gradient instead.
void CpuEngine::use_gradient(int thread, std::size_t microbatch, bool stored,
                             const OptimizerStep* step) {
  products(thread, microbatch, stored, [&](CpuParameters& parameters) {
    GradientUse use = stored ? GradientUse{.start = parameters.gradients[0]}
                             : continue_sum(microbatches_.at(microbatch), parameters);
    use.step = step;
    return use;
  });
  if (step == nullptr || step->average_weight == 0) return;
  for_each_own(thread, [&](CpuParameters& parameters, std::size_t begin, std::size_t end) {
    parameters.average(begin, end, step->average_weight);
  });
}

/// Adds the gradients of all processes.
void CpuEngine::exchange_gradients(int thread, std::size_t microbatch) {
  barrier(thread);
  if (thread == 0) exchange_->sum(leaves_of(microbatches_.at(microbatch).minibatch), gradients_);
  own_of(thread).clock.end(Phase::kExchange);
  barrier(thread);
}

/// The losses of the minibatches: whichever process computed them, those of microbatches are added
/// from the first to the last.
StepsResult CpuEngine::gather_result(const Steps& steps) {
  losses_.push_back(static_cast<double>(own_[0].correct));
  if (processes_ != nullptr) processes_->sum(losses_);
  StepsResult result;
  std::size_t next = 0;
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const std::size_t examples = steps.minibatch(i).size();
    double sum = 0;
    for (std::size_t n = microbatch_count(examples); n > 0; --n) sum += losses_[next++];
    result.losses.push_back(static_cast<float>(sum / static_cast<double>(examples)));
  }
  result.correct = static_cast<std::int64_t>(losses_.back());
  return result;
}

float CpuEngine::clip_factor() const {
  double squares = 0;
  for (const CpuLayer& layer : layers_) {
    squares += squared_weight_gradient(layer) + squared_bias_gradient(layer);
  }
  return static_cast<float>(
      std::min(1.0, options_.clip_norm / (std::sqrt(squares) + kClipEpsilon)));
}

}  // namespace mnist
