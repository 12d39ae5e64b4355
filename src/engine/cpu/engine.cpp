// The schedule of a step; scalar_engine.cpp has its arithmetic in plain loops.
//
// One step, for thread t (| is a barrier):
//   each hidden layer: outputs of slice t, ReLU, dropout                                     |
//   logits, loss and its gradient for a share of the examples                                |
//   from the last layer down: input gradients for slice t of the layer below                 |
//   with clipping and in a call's last step, all layers: squared weight gradients of slice t |
//   all layers: weight gradients of slice t, Adam; a share of the next minibatch             |
#include "engine/cpu/engine.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "mnist/support/error.hpp"
#include "support/cpu_target.hpp"

namespace mnist {

CpuEngine::CpuEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                     int threads, const CpuKernels& kernels)
    : shape_(initial.shape()),
      options_(options),
      kernels_(kernels),
      team_(threads),
      layers_(make_cpu_layers(initial, options, threads, kernels.slice_columns)),
      minibatches_(dataset, options, kernels, layers_[0].inputs, threads) {
  if (!shape_.hidden.empty() && shape_.activation != Activation::kRelu) {
    throw Error("the fused engine supports only relu, found " +
                std::string(name_of(shape_.activation)));
  }
  std::size_t widest = 0;
  for (const CpuLayer& layer : layers_) widest = std::max(widest, layer.padded);
  scratch_.assign(static_cast<std::size_t>(threads), AlignedVector<float>(widest));
}

Mlp CpuEngine::parameters() const {
  return array_of(layers_, shape_,
                  options_.ema > 0 ? &CpuParameters::averages : &CpuParameters::weights);
}

EngineState CpuEngine::state() const {
  EngineState state{steps_done_,
                    array_of(layers_, shape_, &CpuParameters::weights),
                    array_of(layers_, shape_, &CpuParameters::first_moments),
                    array_of(layers_, shape_, &CpuParameters::second_moments),
                    {}};
  if (options_.ema > 0) state.averages = array_of(layers_, shape_, &CpuParameters::averages);
  return state;
}

void CpuEngine::restore(const EngineState& state) {
  steps_done_ = state.steps;
  set_array(layers_, state.weights, &CpuParameters::weights);
  set_array(layers_, state.first_moments, &CpuParameters::first_moments);
  set_array(layers_, state.second_moments, &CpuParameters::second_moments);
  if (options_.ema > 0) set_array(layers_, state.averages.value(), &CpuParameters::averages);
  mark_active(layers_);
}

NamedNorms CpuEngine::gradient_norms() const {
  NamedNorms norms;
  for (const ParameterInfo& parameter : parameter_table(shape_)) {
    const std::size_t n = norms.size();
    const auto part = n % 2 == 0 ? &CpuSlice::weights : &CpuSlice::bias;
    norms.emplace_back(parameter.name, std::sqrt(squared_gradient(layers_[n / 2].slices, part)));
  }
  return norms;
}

std::string CpuEngine::description() const {
  return "fused on cpu (" + instruction_set_name(kernels_.target) + "), " +
         std::to_string(team_.size()) + (team_.size() == 1 ? " thread" : " threads");
}

LayerInputs CpuEngine::inputs_of(std::size_t layer, const CpuMinibatch& minibatch) const {
  if (layer == 0) {
    return {.inputs = layers_[0].inputs,
            .tiles = minibatch.tiles(),
            .masks = minibatch.masks.data(),
            .pixels = minibatch.pixels.data(),
            .pixel_values = minibatches_.pixel_values()};
  }
  const CpuLayer& below = layers_[layer - 1];
  return {.inputs = below.padded,
          .tiles = minibatch.tiles(),
          .masks = below.masks.data(),
          .values = below.activations.data(),
          .value_stride = below.stride()};
}

Rows CpuEngine::deltas_of(std::size_t layer) {
  CpuLayer& of = layers_[layer];
  return {&of == &layers_.back() ? of.activations.data() : of.deltas.data(), of.stride()};
}

StepsResult CpuEngine::train(const Steps& steps) {
  const auto batch = std::min(static_cast<std::size_t>(steps.batch), steps.indices.size());
  if (batch > losses_.size()) {
    losses_.resize(batch);
    reserve_tiles(layers_, (batch + kTile - 1) / kTile);
  }
  const auto count = static_cast<std::size_t>(steps.count());
  std::atomic<std::size_t> correct = 0;
  StepsResult result;
  result.losses.resize(count);
  minibatches_.start(steps, steps_done_ + 1);
  team_.run([&](int thread) {
    flush_subnormals();
    minibatches_.distort(thread, 0);
    team_.barrier();
    minibatches_.prepare(thread, 0);
    minibatches_.distort(thread, 1);
    team_.barrier();
    std::size_t correct_of_thread = 0;
    for (std::size_t i = 0; i < count; ++i) {
      minibatches_.prefetch(thread, i);
      const CpuMinibatch& minibatch = minibatches_.at(i);
      const bool measure = i + 1 == count;
      correct_of_thread += step(thread, minibatch, steps.learning_rates[i], measure);
      if (thread == 0) {
        const auto end = losses_.begin() + std::ssize(minibatch.indices);
        const double sum = std::accumulate(losses_.begin(), end, 0.0);
        result.losses[i] = static_cast<float>(sum / static_cast<double>(minibatch.indices.size()));
      }
      minibatches_.prepare(thread, i + 1);
      minibatches_.distort(thread, i + 2);
      team_.barrier();
    }
    correct += correct_of_thread;
  });
  steps_done_ += steps.count();
  result.correct = static_cast<std::int64_t>(correct);
  return result;
}

std::size_t CpuEngine::step(int thread, const CpuMinibatch& minibatch, double learning_rate,
                            bool measure) {
  forward(thread, minibatch);
  const std::size_t correct = compute_loss(thread, minibatch);
  backward_input(thread, minibatch);
  OptimizerStep numbers = optimizer_step(options_, minibatch.step, learning_rate);
  if (measure || options_.clip_norm > 0) {
    backward_weight(thread, minibatch, nullptr);
    team_.barrier();
  }
  if (options_.clip_norm > 0) numbers.clip = clip_factor();
  backward_weight(thread, minibatch, &numbers);
  return correct;
}

void CpuEngine::forward(int thread, const CpuMinibatch& minibatch) {
  const std::size_t examples = minibatch.indices.size();
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    CpuLayer& layer = layers_[l];
    for (CpuSlice& slice : layer.slices_of(thread)) {
      const Rows outputs{layer.activations.data() + slice.begin, layer.stride()};
      const std::size_t columns = slice.weights.columns;
      kernels_.linear_forward(inputs_of(l, minibatch), 0, examples, slice.weights.view(),
                              slice.bias.weights.data(), outputs);
      Kept kept;
      if (layer.dropout.on()) {
        kept = {layer.keep.data() + slice.begin, layer.dropout.scale()};
        for (std::size_t tile = 0; tile < minibatch.tiles(); ++tile) {
          layer.dropout.keep_units(minibatch.step, tile, slice.begin, slice.begin + columns,
                                   layer.keep.data() + tile * layer.padded);
        }
      }
      kernels_.relu(outputs, examples, columns, kept, layer.masks.data() + slice.begin,
                    layer.padded);
    }
    team_.barrier();
  }
}

std::size_t CpuEngine::compute_loss(int thread, const CpuMinibatch& minibatch) {
  CpuLayer& last = layers_.back();
  const std::size_t examples = minibatch.indices.size();
  const Share share(examples, 1, thread, team_.size());
  const Rows logits{last.activations.data(), last.stride()};
  kernels_.linear_forward(inputs_of(layers_.size() - 1, minibatch), share.begin, share.end,
                          last.slices[0].weights.view(), last.slices[0].bias.weights.data(),
                          logits);
  const LossOptions options{last.outputs, 1.0F / static_cast<float>(examples),
                            static_cast<float>(options_.label_smoothing)};
  const std::size_t correct = kernels_.softmax_loss(
      logits, share.begin, share.end, minibatch.labels.data(), options, losses_.data());
  team_.barrier();
  return correct;
}

void CpuEngine::backward_input(int thread, const CpuMinibatch& minibatch) {
  for (std::size_t l = layers_.size() - 1; l > 0; --l) {
    const Share below(layers_[l - 1].padded, kBlock, thread, team_.size());
    kernels_.backward_input(inputs_of(l, minibatch), below.begin, below.end, layers_[l].weights,
                            deltas_of(l), layers_[l - 1].dropout.scale(), deltas_of(l - 1),
                            scratch_[static_cast<std::size_t>(thread)].data());
    team_.barrier();
  }
}

/// Updates the thread's parameters. Without a `step`, sums the squares of their gradients instead.
void CpuEngine::backward_weight(int thread, const CpuMinibatch& minibatch,
                                const OptimizerStep* step) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    // The last layer is narrow: the threads share its rows instead of its columns. But one thread
    // sums all squares, in the same order for any number of threads.
    const bool last = l + 1 == layers_.size();
    const int sharing = last && step != nullptr ? team_.size() : 1;
    if (last && thread >= sharing) continue;
    const Share rows(layers_[l].inputs, 2, last ? thread : 0, sharing);
    const bool with_bias = !last || thread == 0;
    for (CpuSlice& slice : layers_[l].slices_of(thread)) {
      Rows deltas = deltas_of(l);
      deltas.data += slice.begin;
      kernels_.backward_weight(inputs_of(l, minibatch), rows.begin, rows.end, deltas,
                               slice.weights.view(), step, slice.active.data());
      if (with_bias) {
        kernels_.backward_bias(deltas, minibatch.indices.size(), slice.bias.view(), step);
      }
      if (step == nullptr || step->average_weight == 0) continue;
      slice.weights.average(rows.begin, rows.end, step->average_weight);
      if (with_bias) slice.bias.average(0, 1, step->average_weight);
    }
  }
}

float CpuEngine::clip_factor() const {
  double squares = 0;
  for (const CpuLayer& layer : layers_) {
    squares += squared_gradient(layer.slices, &CpuSlice::weights) +
               squared_gradient(layer.slices, &CpuSlice::bias);
  }
  return static_cast<float>(
      std::min(1.0, options_.clip_norm / (std::sqrt(squares) + kClipEpsilon)));
}

}  // namespace mnist
