// The fused CPU engine: the reference's mathematics, written for these networks on processor cores.
//
// One step, for thread t (| is a barrier):
//   each hidden layer: outputs of slice t, ReLU and masks                                    |
//   logits, loss and its gradient for a share of the examples                                |
//   from the last layer down: gradients of the activations of slice t of the layer below     |
//   all layers: gradients of the weights of slice t, Adam; transpose a share of the next minibatch
//   |
#include "mnist/engine/cpu_engine.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// The part of `count` units that belongs to one of `threads` threads, in units of `unit`.
struct Share {
  Share(std::size_t count, std::size_t unit, int thread, int threads) {
    const std::size_t units = (count + unit - 1) / unit;
    const auto t = static_cast<std::size_t>(thread);
    const auto n = static_cast<std::size_t>(threads);
    begin = std::min(units * t / n * unit, count);
    end = std::min(units * (t + 1) / n * unit, count);
  }
  std::size_t size() const { return end - begin; }
  std::size_t begin;
  std::size_t end;
};

}  // namespace

void CpuEngine::Parameters::resize(std::size_t rows, std::size_t width) {
  columns = width;
  for (auto* array : {&weights, &first_moments, &second_moments}) array->assign(rows * width, 0.0F);
}

ParameterSlice CpuEngine::Parameters::view() {
  return {columns, weights.data(), first_moments.data(), second_moments.data()};
}

CpuEngine::CpuEngine(const MlpShape& shape, const StateDict& initial, const Dataset& dataset,
                     const EngineOptions& options, int threads, const CpuKernels& kernels)
    : shape_(shape),
      dataset_(dataset),
      options_(options),
      kernels_(kernels),
      team_(threads),
      blank_image_(static_cast<std::size_t>(dataset.pixels())) {
  if (!shape.hidden.empty() && shape.activation != Activation::kRelu) {
    throw Error("the fused engine knows only relu, found " + option_text(shape.activation));
  }
  make_layers();
  load(initial);
  correct_.assign(static_cast<std::size_t>(threads), AlignedVector<std::size_t>(1));
}

void CpuEngine::make_layers() {
  const std::vector<std::int64_t> widths = shape_.widths();
  std::size_t inputs = round_up(static_cast<std::size_t>(shape_.inputs), 2);
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const bool last = l + 2 == widths.size();
    Layer& layer = layers_.emplace_back();
    layer.inputs = inputs;
    layer.outputs = static_cast<std::size_t>(widths[l + 1]);
    layer.padded = round_up(layer.outputs, kBlock);
    const int slices = last ? 1 : team_.size();
    for (int t = 0; t < slices; ++t) {
      const Share share(layer.padded, kBlock, t, slices);
      Slice& slice = layer.slices.emplace_back();
      slice.begin = share.begin;
      slice.weights.resize(inputs, share.size());
      slice.bias.resize(1, share.size());
      // Weight decay moves weights without a gradient, too.
      slice.touched.assign(inputs / 2, options_.weight_decay > 0 ? 1 : 0);
      slice.squares.assign(share.size() * static_cast<std::size_t>(team_.size()), 0.0F);
      slice.bias_squares.assign(share.size(), 0.0F);
    }
    for (const Slice& slice : layer.slices) {
      layer.panels.push_back({slice.weights.weights.data(), slice.weights.columns});
    }
    inputs = layer.padded;
  }
}

template <class Self, class State, class Copy>
void CpuEngine::for_each_parameter(Self& engine, State& state, const Copy& copy) {
  for (std::size_t l = 0; l < engine.layers_.size(); ++l) {
    auto& weight = state.at(2 * l);
    auto& bias = state.at(2 * l + 1);
    const auto inputs = static_cast<std::size_t>(weight.shape.at(1));
    for (auto& slice : engine.layers_[l].slices) {
      const std::size_t columns = slice.weights.columns;
      const std::size_t end = std::min(slice.begin + columns, engine.layers_[l].outputs);
      for (std::size_t j = slice.begin; j < end; ++j) {
        for (std::size_t k = 0; k < inputs; ++k) {
          copy(slice.weights.weights[k * columns + j - slice.begin], weight.values[j * inputs + k]);
        }
        copy(slice.bias.weights[j - slice.begin], bias.values[j]);
      }
    }
  }
}

void CpuEngine::load(const StateDict& state) {
  for_each_parameter(*this, state, [](float& ours, const float& given) { ours = given; });
}

StateDict CpuEngine::parameters() const {
  StateDict state;
  for (const ParameterInfo& parameter : parameter_table(shape_)) {
    state.push_back({parameter.name, parameter.shape,
                     std::vector<float>(static_cast<std::size_t>(parameter.count))});
  }
  for_each_parameter(*this, state, [](const float& ours, float& given) { given = ours; });
  return state;
}

void CpuEngine::reserve(std::size_t batch) {
  if (batch <= batch_) return;
  batch_ = batch;
  const std::size_t tiles = (batch + kTile - 1) / kTile;
  std::size_t widest = 0;
  for (Layer& layer : layers_) {
    layer.activations.assign(tiles * kTile * layer.padded, 0.0F);
    if (&layer != &layers_.back()) {
      layer.deltas.assign(tiles * kTile * layer.padded, 0.0F);
      layer.masks.assign(tiles * layer.padded, 0);
    }
    widest = std::max(widest, layer.padded);
  }
  for (Minibatch& minibatch : minibatches_) {
    minibatch.pixels.assign(tiles * layers_[0].inputs * kTile, 0);
    minibatch.masks.assign(tiles * layers_[0].inputs, 0);
    minibatch.labels.assign(batch, 0);
  }
  losses_.assign(batch, 0.0F);
  scratch_.assign(static_cast<std::size_t>(team_.size()), AlignedVector<float>(widest));
}

AdamStep CpuEngine::adam_step(double learning_rate) const {
  const auto t = static_cast<double>(steps_done_ + 1);
  AdamStep step;
  step.beta1 = static_cast<float>(kAdamBeta1);
  step.beta2 = static_cast<float>(kAdamBeta2);
  step.rate = static_cast<float>(learning_rate * (1 - kAdamBeta1) / (1 - std::pow(kAdamBeta1, t)));
  step.root_scale = static_cast<float>(std::sqrt((1 - kAdamBeta2) / (1 - std::pow(kAdamBeta2, t))));
  step.epsilon = static_cast<float>(kAdamEpsilon);
  if (options_.optimizer == Optimizer::kAdam) {
    step.l2_penalty = static_cast<float>(options_.weight_decay);
  } else {
    step.keep = static_cast<float>(1 - learning_rate * options_.weight_decay);
  }
  return step;
}

LayerInputs CpuEngine::inputs_of(std::size_t layer, const Minibatch& minibatch) const {
  LayerInputs inputs;
  inputs.inputs = layers_[layer].inputs;
  inputs.tiles = minibatch.tiles();
  if (layer == 0) {
    inputs.masks = minibatch.masks.data();
    inputs.pixels = minibatch.pixels.data();
  } else {
    const Layer& below = layers_[layer - 1];
    inputs.masks = below.masks.data();
    inputs.values = below.activations.data();
    inputs.value_stride = below.padded;
  }
  return inputs;
}

Rows CpuEngine::deltas_of(std::size_t layer) {
  Layer& of = layers_[layer];
  return {&of == &layers_.back() ? of.activations.data() : of.deltas.data(), of.padded};
}

StepsResult CpuEngine::train(const Steps& steps) {
  const auto batch = std::min(static_cast<std::size_t>(steps.batch), steps.rows.size());
  reserve(batch);
  const auto count = static_cast<std::size_t>(steps.count());
  const auto minibatch_rows = [&](std::size_t i) {
    const std::size_t begin = std::min(i * batch, steps.rows.size());
    return steps.rows.subspan(begin, std::min(batch, steps.rows.size() - begin));
  };
  StepsResult result;
  result.losses.resize(count);
  for (auto& correct : correct_) correct[0] = 0;
  std::vector<AdamStep> adam(count);
  for (std::size_t i = 0; i < count; ++i, ++steps_done_) {
    adam[i] = adam_step(steps.learning_rates[i]);
  }
  team_.run([&](int thread) {
    flush_subnormals();
    prepare(thread, minibatch_rows(0), minibatches_[0]);
    team_.barrier();
    for (std::size_t i = 0; i < count; ++i) {
      prefetch(thread, minibatch_rows(i + 1));
      step(thread, minibatches_[i % 2], adam[i], i + 1 == count);
      if (thread == 0) {
        const auto examples = minibatches_[i % 2].rows.size();
        result.losses[i] = static_cast<float>(
            std::accumulate(losses_.begin(),
                            losses_.begin() + static_cast<std::ptrdiff_t>(examples), 0.0) /
            static_cast<double>(examples));
      }
      prepare(thread, minibatch_rows(i + 1), minibatches_[(i + 1) % 2]);
      team_.barrier();
    }
  });
  for (const auto& correct : correct_) result.correct += static_cast<std::int64_t>(correct[0]);
  return result;
}

void CpuEngine::prepare(int thread, std::span<const std::int64_t> rows, Minibatch& minibatch) {
  const auto pixels = static_cast<std::size_t>(dataset_.pixels());
  const std::size_t inputs = layers_[0].inputs;
  if (thread == 0) {
    minibatch.rows = rows;
    for (std::size_t e = 0; e < rows.size(); ++e) {
      minibatch.labels[e] = dataset_.labels[static_cast<std::size_t>(rows[e])];
    }
  }
  const Share share(pixels, kBlock, thread, team_.size());
  for (std::size_t tile = 0; tile * kTile < rows.size(); ++tile) {
    const std::uint8_t* images[kTile];
    for (std::size_t e = 0; e < kTile; ++e) {
      const std::size_t place = tile * kTile + e;
      images[e] = place < rows.size()
                      ? dataset_.images.data() + static_cast<std::size_t>(rows[place]) * pixels
                      : blank_image_.data();
    }
    kernels_.transpose_pixels(images, share.begin, share.end,
                              minibatch.pixels.data() + tile * inputs * kTile,
                              minibatch.masks.data() + tile * inputs);
  }
}

void CpuEngine::prefetch(int thread, std::span<const std::int64_t> rows) const {
  const auto pixels = static_cast<std::size_t>(dataset_.pixels());
  const Share share(pixels, kBlock, thread, team_.size());
  constexpr std::size_t kCacheLine = 64;
  constexpr int kForReading = 0;
  constexpr int kSecondLevel = 2;
  constexpr std::size_t kMostRows = 512;  // more would push one another out again
  for (const std::int64_t row : rows.first(std::min(rows.size(), kMostRows))) {
    const std::uint8_t* const image =
        dataset_.images.data() + static_cast<std::size_t>(row) * pixels;
    for (std::size_t pixel = share.begin; pixel < share.end; pixel += kCacheLine) {
      __builtin_prefetch(image + pixel, kForReading, kSecondLevel);
    }
  }
}

void CpuEngine::step(int thread, const Minibatch& minibatch, const AdamStep& adam,
                     bool want_norms) {
  forward(thread, minibatch);
  judge(thread, minibatch);
  backward(thread, minibatch);
  update(thread, minibatch, adam, want_norms);
}

void CpuEngine::forward(int thread, const Minibatch& minibatch) {
  const std::size_t examples = minibatch.rows.size();
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    Slice& slice = layer.slices[static_cast<std::size_t>(thread)];
    const Rows outputs{layer.activations.data() + slice.begin, layer.padded};
    kernels_.forward(inputs_of(l, minibatch), 0, examples, slice.weights.view(),
                     slice.bias.weights.data(), outputs);
    kernels_.relu(outputs, examples, slice.weights.columns, layer.masks.data() + slice.begin,
                  layer.padded);
    team_.barrier();
  }
}

void CpuEngine::judge(int thread, const Minibatch& minibatch) {
  Layer& last = layers_.back();
  const std::size_t examples = minibatch.rows.size();
  const Share share(examples, 1, thread, team_.size());
  const Rows logits{last.activations.data(), last.padded};
  kernels_.forward(inputs_of(layers_.size() - 1, minibatch), share.begin, share.end,
                   last.slices[0].weights.view(), last.slices[0].bias.weights.data(), logits);
  const LossOptions options{last.outputs, 1.0F / static_cast<float>(examples),
                            static_cast<float>(options_.label_smoothing)};
  correct_[static_cast<std::size_t>(thread)][0] += kernels_.softmax_loss(
      logits, share.begin, share.end, minibatch.labels.data(), options, losses_.data());
  team_.barrier();
}

void CpuEngine::backward(int thread, const Minibatch& minibatch) {
  for (std::size_t l = layers_.size() - 1; l > 0; --l) {
    const Slice& below = layers_[l - 1].slices[static_cast<std::size_t>(thread)];
    kernels_.backward(inputs_of(l, minibatch), below.begin, below.begin + below.weights.columns,
                      layers_[l].panels, deltas_of(l), deltas_of(l - 1),
                      scratch_[static_cast<std::size_t>(thread)].data());
    team_.barrier();
  }
}

void CpuEngine::update(int thread, const Minibatch& minibatch, const AdamStep& adam,
                       bool want_norms) {
  const std::size_t examples = minibatch.rows.size();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const bool last = l + 1 == layers_.size();
    Slice& slice = layers_[l].slices[last ? 0 : static_cast<std::size_t>(thread)];
    const std::size_t columns = slice.weights.columns;
    // The last layer is narrow: its threads share rows instead of columns.
    const Share rows = last ? Share(layers_[l].inputs, 2, thread, team_.size())
                            : Share(layers_[l].inputs, 2, 0, 1);
    Rows deltas = deltas_of(l);
    deltas.data += slice.begin;
    float* squares = nullptr;
    if (want_norms) {
      squares = slice.squares.data() + (last ? static_cast<std::size_t>(thread) * columns : 0);
      std::fill(squares, squares + columns, 0.0F);
    }
    kernels_.update(inputs_of(l, minibatch), rows.begin, rows.end, deltas, slice.weights.view(),
                    adam, slice.touched.data(), squares);
    if (last && thread != 0) continue;
    if (want_norms) std::fill(slice.bias_squares.begin(), slice.bias_squares.end(), 0.0F);
    kernels_.update_bias(deltas, examples, slice.bias.view(), adam,
                         want_norms ? slice.bias_squares.data() : nullptr);
  }
}

NamedNorms CpuEngine::gradient_norms() const {
  NamedNorms norms;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    double weight_squares = 0;
    double bias_squares = 0;
    for (const Slice& slice : layers_[l].slices) {
      for (const float square : slice.squares) weight_squares += static_cast<double>(square);
      for (const float square : slice.bias_squares) bias_squares += static_cast<double>(square);
    }
    const std::string prefix = std::to_string(2 * l);
    norms.emplace_back(prefix + ".weight", std::sqrt(weight_squares));
    norms.emplace_back(prefix + ".bias", std::sqrt(bias_squares));
  }
  return norms;
}

std::string CpuEngine::description() const {
  return std::string("fused on cpu (") + kernels_.target + "), " + std::to_string(team_.size()) +
         (team_.size() == 1 ? " thread" : " threads");
}

}  // namespace mnist
