// The schedule of a step; scalar_engine.cpp has its arithmetic in plain loops.
//
// One step, for thread t (| is a barrier):
//   each hidden layer: outputs of slice t, ReLU, dropout                                     |
//   logits, loss and its gradient for a share of the examples                                |
//   from the last layer down: input gradients for slice t of the layer below                 |
//   with clipping, all layers: squared weight gradients of slice t                           |
//   all layers: weight gradients of slice t, Adam; a share of the next minibatch             |
#include "engine/cpu/engine.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

double mean(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

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
  correct_.assign(static_cast<std::size_t>(threads), AlignedVector<std::size_t>(1));
}

Mlp CpuEngine::parameters() const {
  return array_of(layers_, shape_,
                  options_.ema > 0 ? &CpuParameters::averages : &CpuParameters::weights);
}

EngineState CpuEngine::state() const {
  EngineState state;
  state.steps = steps_done_;
  state.weights = array_of(layers_, shape_, &CpuParameters::weights);
  state.first_moments = array_of(layers_, shape_, &CpuParameters::first_moments);
  state.second_moments = array_of(layers_, shape_, &CpuParameters::second_moments);
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
  return gradient_norms_of(layers_);
}

std::string CpuEngine::description() const {
  return std::string("fused on cpu (") + kernels_.target + "), " + std::to_string(team_.size()) +
         (team_.size() == 1 ? " thread" : " threads");
}

CpuEngine::StepNumbers CpuEngine::step_numbers(std::int64_t step, double learning_rate) const {
  const OptimizerStep exact = optimizer_step(options_, step, learning_rate);
  StepNumbers numbers;
  AdamStep& adam = numbers.adam;
  adam.beta1 = static_cast<float>(exact.beta1);
  adam.beta2 = static_cast<float>(exact.beta2);
  adam.gain1 = static_cast<float>(1 - exact.beta1);
  adam.gain2 = static_cast<float>(1 - exact.beta2);
  adam.rate = static_cast<float>(exact.learning_rate / exact.correction1);
  adam.root_scale = static_cast<float>(1 / std::sqrt(exact.correction2));
  adam.epsilon = static_cast<float>(exact.epsilon);
  adam.l2_penalty = static_cast<float>(exact.l2_penalty);
  adam.decay = static_cast<float>(exact.decay);
  numbers.average_weight = static_cast<float>(exact.average_weight);
  return numbers;
}

LayerInputs CpuEngine::inputs_of(std::size_t layer, const CpuMinibatch& minibatch) const {
  LayerInputs inputs;
  inputs.inputs = layers_[layer].inputs;
  inputs.tiles = minibatch.tiles();
  if (layer == 0) {
    inputs.masks = minibatch.masks.data();
    inputs.pixels = minibatch.pixels.data();
    inputs.pixel_values = minibatches_.pixel_values();
  } else {
    const CpuLayer& below = layers_[layer - 1];
    inputs.masks = below.masks.data();
    inputs.values = below.activations.data();
    inputs.value_stride = below.stride();
  }
  return inputs;
}

Rows CpuEngine::deltas_of(std::size_t layer) {
  CpuLayer& of = layers_[layer];
  return {&of == &layers_.back() ? of.activations.data() : of.deltas.data(), of.stride()};
}

Share CpuEngine::rows_of(std::size_t layer, int thread) const {
  // The last layer is narrow: its threads share rows instead of columns.
  const bool last = layer + 1 == layers_.size();
  return last ? Share(layers_[layer].inputs, 2, thread, team_.size())
              : Share(layers_[layer].inputs, 2, 0, 1);
}

StepsResult CpuEngine::train(const Steps& steps) {
  const auto batch = std::min(static_cast<std::size_t>(steps.batch), steps.indices.size());
  if (batch > capacity_) {
    capacity_ = batch;
    reserve_tiles(layers_, (batch + kTile - 1) / kTile);
    losses_.assign(batch, 0.0F);
  }
  const auto count = static_cast<std::size_t>(steps.count());
  StepsResult result;
  result.losses.resize(count);
  for (auto& correct : correct_) correct[0] = 0;
  const std::int64_t first_step = steps_done_ + 1;
  std::vector<StepNumbers> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = step_numbers(++steps_done_, steps.learning_rates[i]);
  }
  numbers.back().want_norms = true;
  minibatches_.start(steps, first_step);
  team_.run([&](int thread) {
    flush_subnormals();
    minibatches_.distort(thread, 0);
    team_.barrier();
    minibatches_.prepare(thread, 0);
    minibatches_.distort(thread, 1);
    team_.barrier();
    for (std::size_t i = 0; i < count; ++i) {
      minibatches_.prefetch(thread, i);
      const CpuMinibatch& minibatch = minibatches_.at(i);
      step(thread, minibatch, first_step + static_cast<std::int64_t>(i), numbers[i]);
      if (thread == 0) {
        result.losses[i] =
            static_cast<float>(mean(std::span(losses_).first(minibatch.indices.size())));
      }
      minibatches_.prepare(thread, i + 1);
      minibatches_.distort(thread, i + 2);
      team_.barrier();
    }
  });
  for (const auto& correct : correct_) result.correct += static_cast<std::int64_t>(correct[0]);
  return result;
}

void CpuEngine::step(int thread, const CpuMinibatch& minibatch, std::int64_t step,
                     StepNumbers numbers) {
  forward(thread, minibatch, step);
  compute_loss(thread, minibatch);
  backward(thread, minibatch);
  if (options_.clip_norm > 0) {
    squared_gradients(thread, minibatch);
    team_.barrier();
    numbers.adam.clip = clip_factor();
    numbers.want_norms = false;  // keep the norms from before clipping
  }
  update(thread, minibatch, numbers);
}

void CpuEngine::forward(int thread, const CpuMinibatch& minibatch, std::int64_t step) {
  const std::size_t examples = minibatch.indices.size();
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    CpuLayer& layer = layers_[l];
    for (CpuSlice& slice : layer.slices_of(thread)) {
      const Rows outputs{layer.activations.data() + slice.begin, layer.stride()};
      kernels_.linear_forward(inputs_of(l, minibatch), 0, examples, slice.weights.view(),
                              slice.bias.weights.data(), outputs);
      Kept kept;
      if (layer.dropout.on()) {
        drop(layer, slice, minibatch.tiles(), step);
        kept = {layer.keep.data() + slice.begin, layer.dropout.scale()};
      }
      kernels_.relu(outputs, examples, slice.weights.columns, kept,
                    layer.masks.data() + slice.begin, layer.padded);
    }
    team_.barrier();
  }
}

void CpuEngine::drop(CpuLayer& layer, const CpuSlice& slice, std::size_t tiles,
                     std::int64_t step) const {
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    std::uint32_t* const keep = layer.keep.data() + tile * layer.padded;
    for (std::size_t j = slice.begin; j < slice.begin + slice.weights.columns; ++j) {
      keep[j] = layer.dropout.keep(step, tile, j);
    }
  }
}

void CpuEngine::compute_loss(int thread, const CpuMinibatch& minibatch) {
  CpuLayer& last = layers_.back();
  const std::size_t examples = minibatch.indices.size();
  const Share share(examples, 1, thread, team_.size());
  const Rows logits{last.activations.data(), last.stride()};
  kernels_.linear_forward(inputs_of(layers_.size() - 1, minibatch), share.begin, share.end,
                          last.slices[0].weights.view(), last.slices[0].bias.weights.data(),
                          logits);
  const LossOptions options{last.outputs, 1.0F / static_cast<float>(examples),
                            static_cast<float>(options_.label_smoothing)};
  correct_[static_cast<std::size_t>(thread)][0] += kernels_.softmax_loss(
      logits, share.begin, share.end, minibatch.labels.data(), options, losses_.data());
  team_.barrier();
}

void CpuEngine::backward(int thread, const CpuMinibatch& minibatch) {
  for (std::size_t l = layers_.size() - 1; l > 0; --l) {
    const Share below(layers_[l - 1].padded, kBlock, thread, team_.size());
    kernels_.backward_input(inputs_of(l, minibatch), below.begin, below.end, layers_[l].panels,
                            deltas_of(l), layers_[l - 1].dropout.scale(), deltas_of(l - 1),
                            scratch_[static_cast<std::size_t>(thread)].data());
    team_.barrier();
  }
}

/// Sums the squares of each column in the same order for any number of threads: one thread has the
/// whole last layer.
void CpuEngine::squared_gradients(int thread, const CpuMinibatch& minibatch) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const bool last = l + 1 == layers_.size();
    if (last && thread != 0) continue;
    for (CpuSlice& slice : layers_[l].slices_of(thread)) {
      Rows deltas = deltas_of(l);
      deltas.data += slice.begin;
      std::fill(slice.squares.begin(), slice.squares.end(), 0.0F);
      std::fill(slice.bias_squares.begin(), slice.bias_squares.end(), 0.0F);
      kernels_.squared_gradients(inputs_of(l, minibatch), 0, layers_[l].inputs, deltas,
                                 slice.weights.view(), slice.active.data(), slice.squares.data());
      kernels_.squared_bias_gradients(deltas, minibatch.indices.size(), slice.bias.view(),
                                      slice.bias_squares.data());
    }
  }
}

float CpuEngine::clip_factor() const {
  double squares = 0;
  for (const CpuLayer& layer : layers_) {
    squares += squared_gradient(layer.slices, &CpuSlice::squares) +
               squared_gradient(layer.slices, &CpuSlice::bias_squares);
  }
  return static_cast<float>(
      std::min(1.0, options_.clip_norm / (std::sqrt(squares) + kClipEpsilon)));
}

void CpuEngine::update(int thread, const CpuMinibatch& minibatch, const StepNumbers& numbers) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    for (CpuSlice& slice : layers_[l].slices_of(thread)) {
      update_slice(thread, minibatch, numbers, l, slice);
    }
  }
}

void CpuEngine::update_slice(int thread, const CpuMinibatch& minibatch, const StepNumbers& numbers,
                             std::size_t l, CpuSlice& slice) {
  const bool last = l + 1 == layers_.size();
  const std::size_t columns = slice.weights.columns;
  const Share rows = rows_of(l, thread);
  Rows deltas = deltas_of(l);
  deltas.data += slice.begin;
  float* squares = nullptr;
  if (numbers.want_norms) {
    squares = slice.squares.data() + (last ? static_cast<std::size_t>(thread) * columns : 0);
    std::fill(squares, squares + columns, 0.0F);
  }
  kernels_.backward_weight(inputs_of(l, minibatch), rows.begin, rows.end, deltas,
                           slice.weights.view(), numbers.adam, slice.active.data(), squares);
  if (numbers.average_weight > 0) {
    slice.weights.average(rows.begin, rows.end, numbers.average_weight);
  }
  if (last && thread != 0) return;
  float* const bias_squares = numbers.want_norms ? slice.bias_squares.data() : nullptr;
  if (bias_squares != nullptr) std::fill_n(bias_squares, columns, 0.0F);
  kernels_.backward_bias(deltas, minibatch.indices.size(), slice.bias.view(), numbers.adam,
                         bias_squares);
  if (numbers.average_weight > 0) slice.bias.average(0, 1, numbers.average_weight);
}

}  // namespace mnist
