// Read train() first.
#include "engine/cpu/scalar_engine.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {

ScalarEngine::ScalarEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options)
    : dataset_(dataset),
      options_(options),
      weights_(initial),
      gradients_(zero_mlp(initial.shape())),
      first_moments_(gradients_),
      second_moments_(gradients_) {
  if (options.ema > 0) averages_ = initial;
  for (std::size_t layer = 0; layer < initial.layers.size(); ++layer) {
    dropouts_.emplace_back(options.dropout_of(layer), options.seed, layer);
  }
  if (options.augment.any()) {
    augmenter_.emplace(options.augment, dataset.rows, dataset.columns, options.seed);
  }
}

StepsResult ScalarEngine::train(const Steps& steps) {
  StepsResult result;
  const std::size_t layers = weights_.layers.size();
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const auto indices = steps.minibatch(i);
    const double rate = steps.learning_rates[static_cast<std::size_t>(i)];
    ++steps_done_;
    std::vector<Rows> activations{inputs(indices, steps.epoch)};
    for (std::size_t l = 0; l < layers; ++l) activations.push_back(forward(l, activations[l]));
    Rows deltas = activations.back();
    result.losses.push_back(loss_gradient(deltas, indices, result.correct));
    for (std::size_t l = layers; l-- > 0;) {
      weight_gradient(l, deltas, activations[l]);
      if (l > 0) deltas = input_gradient(l, deltas, activations[l]);
    }
    update(optimizer_step(options_, steps_done_, rate));
  }
  return result;
}

/// Pixels 0 to 1 of the minibatch, distorted and dropped as the options say.
ScalarEngine::Rows ScalarEngine::inputs(std::span<const std::int64_t> indices, std::int64_t epoch) {
  const auto pixels = static_cast<std::size_t>(dataset_.pixels());
  std::vector<std::uint8_t> image(pixels);
  Rows rows;
  for (const std::int64_t index : indices) {
    const std::uint8_t* const source =
        dataset_.images.data() + static_cast<std::size_t>(index) * pixels;
    std::copy(source, source + pixels, image.begin());
    if (augmenter_) (*augmenter_)(source, epoch, index, image.data());
    std::vector<float>& row = rows.emplace_back();
    for (const std::uint8_t pixel : image) {
      row.push_back(static_cast<float>(pixel) * static_cast<float>(1 / kMaxPixel));
    }
  }
  drop(0, rows);
  return rows;
}

/// outputs = inputs * weight^T + bias; hidden layers apply ReLU and dropout.
ScalarEngine::Rows ScalarEngine::forward(std::size_t layer, const Rows& inputs) const {
  const Linear& linear = weights_.layers[layer];
  const bool last = layer + 1 == weights_.layers.size();
  Rows outputs;
  for (const std::vector<float>& x : inputs) {
    std::vector<float>& y = outputs.emplace_back(linear.bias);
    for (std::size_t j = 0; j < y.size(); ++j) {
      for (std::size_t k = 0; k < x.size(); ++k) y[j] += linear.weight[j * x.size() + k] * x[k];
      if (!last) y[j] = std::max(y[j], 0.0F);
    }
  }
  if (!last) drop(layer + 1, outputs);
  return outputs;
}

/// Replaces logits by the gradient of the mean loss: (softmax - target) / examples, where label
/// smoothing spreads a fraction of the target over all classes. Returns the mean loss.
float ScalarEngine::loss_gradient(Rows& logits, std::span<const std::int64_t> indices,
                                  std::int64_t& correct) {
  const auto examples = static_cast<double>(logits.size());
  double total = 0;
  for (std::size_t e = 0; e < logits.size(); ++e) {
    std::vector<float>& row = logits[e];
    const std::size_t label = dataset_.labels[static_cast<std::size_t>(indices[e])];
    const auto highest = std::max_element(row.begin(), row.end());
    correct += static_cast<std::size_t>(highest - row.begin()) == label ? 1 : 0;
    const double top = static_cast<double>(*highest);
    double sum = 0;
    for (const float logit : row) sum += std::exp(static_cast<double>(logit) - top);
    for (std::size_t c = 0; c < row.size(); ++c) {
      const double log_probability = static_cast<double>(row[c]) - top - std::log(sum);
      const double target = options_.label_smoothing / static_cast<double>(row.size()) +
                            (c == label ? 1 - options_.label_smoothing : 0);
      total -= target * log_probability;
      row[c] = static_cast<float>((std::exp(log_probability) - target) / examples);
    }
  }
  return static_cast<float>(total / examples);
}

/// gradient of weight = deltas^T * inputs, of bias = the sum of deltas over the examples.
void ScalarEngine::weight_gradient(std::size_t layer, const Rows& deltas, const Rows& inputs) {
  Linear& gradient = gradients_.layers[layer];
  std::fill(gradient.weight.begin(), gradient.weight.end(), 0.0F);
  std::fill(gradient.bias.begin(), gradient.bias.end(), 0.0F);
  for (std::size_t e = 0; e < deltas.size(); ++e) {
    const std::vector<float>& x = inputs[e];
    for (std::size_t j = 0; j < gradient.bias.size(); ++j) {
      for (std::size_t k = 0; k < x.size(); ++k) {
        gradient.weight[j * x.size() + k] += deltas[e][j] * x[k];
      }
      gradient.bias[j] += deltas[e][j];
    }
  }
}

/// gradient of inputs = deltas * weight; 0 where ReLU or dropout made the input 0.
ScalarEngine::Rows ScalarEngine::input_gradient(std::size_t layer, const Rows& deltas,
                                                const Rows& inputs) const {
  const Linear& linear = weights_.layers[layer];
  const auto width = static_cast<std::size_t>(linear.inputs);
  Rows below(deltas.size(), std::vector<float>(width));
  for (std::size_t e = 0; e < deltas.size(); ++e) {
    for (std::size_t k = 0; k < width; ++k) {
      if (inputs[e][k] == 0) continue;
      float sum = 0;
      for (std::size_t j = 0; j < deltas[e].size(); ++j) {
        sum += deltas[e][j] * linear.weight[j * width + k];
      }
      below[e][k] = sum * dropouts_[layer].scale();
    }
  }
  return below;
}

/// Inverted dropout; a mask has one bit for each of 32 examples.
void ScalarEngine::drop(std::size_t layer, Rows& values) const {
  const Dropout& dropout = dropouts_[layer];
  for (std::size_t e = 0; e < values.size(); ++e) {
    for (std::size_t unit = 0; unit < values[e].size(); ++unit) {
      const bool keep = (dropout.keep(steps_done_, e / 32, unit) >> e % 32 & 1) != 0;
      values[e][unit] = keep ? values[e][unit] * dropout.scale() : 0.0F;
    }
  }
}

/// Clips the gradient, then takes the step that optimizer_step.hpp describes.
void ScalarEngine::update(const OptimizerStep& numbers) {
  const std::vector<float> gradients = flatten(gradients_);
  double squares = 0;
  for (const float g : gradients) squares += static_cast<double>(g) * static_cast<double>(g);
  double clip = 1;
  if (options_.clip_norm > 0) {
    clip = std::min(1.0, options_.clip_norm / (std::sqrt(squares) + kClipEpsilon));
  }
  std::vector<float> weights = flatten(weights_);
  std::vector<float> first = flatten(first_moments_);
  std::vector<float> second = flatten(second_moments_);
  std::vector<float> averages = averages_ ? flatten(*averages_) : std::vector<float>{};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double w = static_cast<double>(weights[i]);
    const double g = static_cast<double>(gradients[i]) * clip + numbers.l2_penalty * w;
    const double m = numbers.beta1 * static_cast<double>(first[i]) + (1 - numbers.beta1) * g;
    const double v = numbers.beta2 * static_cast<double>(second[i]) + (1 - numbers.beta2) * g * g;
    const double root = std::sqrt(v / numbers.correction2) + numbers.epsilon;
    first[i] = static_cast<float>(m);
    second[i] = static_cast<float>(v);
    weights[i] = static_cast<float>(numbers.decay * w -
                                    numbers.learning_rate * (m / numbers.correction1) / root);
    if (averages_) {
      averages[i] += static_cast<float>(numbers.average_weight) * (weights[i] - averages[i]);
    }
  }
  const MlpShape shape = weights_.shape();
  weights_ = unflatten(shape, weights);
  first_moments_ = unflatten(shape, first);
  second_moments_ = unflatten(shape, second);
  if (averages_) averages_ = unflatten(shape, averages);
}

EngineState ScalarEngine::state() const {
  return {steps_done_, weights_, first_moments_, second_moments_, averages_};
}

void ScalarEngine::restore(const EngineState& state) {
  steps_done_ = state.steps;
  weights_ = state.weights;
  first_moments_ = state.first_moments;
  second_moments_ = state.second_moments;
  averages_ = state.averages;
}

NamedNorms ScalarEngine::gradient_norms() const {
  NamedNorms norms;
  const std::vector<float> gradients = flatten(gradients_);
  auto next = gradients.begin();
  for (const ParameterInfo& parameter : parameter_table(weights_.shape())) {
    double squares = 0;
    for (std::int64_t i = 0; i < parameter.count; ++i, ++next) {
      squares += static_cast<double>(*next) * static_cast<double>(*next);
    }
    norms.emplace_back(parameter.name, std::sqrt(squares));
  }
  return norms;
}

}  // namespace mnist
