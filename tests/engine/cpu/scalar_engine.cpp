// Read train() first.
#include "engine/cpu/scalar_engine.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {

ScalarEngine::ScalarEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options)
    : dataset_(dataset),
      options_(options),
      state_{0, initial, zero_mlp(initial.shape()), zero_mlp(initial.shape()), {}},
      gradients_(state_.first_moments) {
  if (options.ema > 0) state_.averages = initial;
  for (std::size_t layer = 0; layer < initial.layers.size(); ++layer) {
    dropouts_.emplace_back(options.dropout_of(layer), options.seed, layer);
  }
  if (options.augment.any()) {
    augmenter_.emplace(options.augment, dataset.rows, dataset.columns, options.seed);
  }
}

StepsResult ScalarEngine::train(const Steps& steps) {
  StepsResult result;
  const std::size_t layers = state_.weights.layers.size();
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const auto indices = steps.minibatch(i);
    const double rate = steps.learning_rates[static_cast<std::size_t>(i)];
    ++state_.steps;
    std::vector<Rows> activations{inputs(indices, steps)};
    for (std::size_t l = 0; l < layers; ++l) activations.push_back(forward(l, activations[l]));
    Rows deltas = activations.back();
    result.losses.push_back(loss_gradient(deltas, indices, result.correct));
    for (std::size_t l = layers; l-- > 0;) {
      weight_gradient(l, deltas, activations[l]);
      if (l > 0) deltas = input_gradient(l, deltas, activations[l]);
    }
    update(optimizer_step(options_, state_.steps, rate));
  }
  return result;
}

/// Pixels 0 to 1 of the minibatch, distorted and dropped as the options say.
ScalarEngine::Rows ScalarEngine::inputs(std::span<const std::int64_t> indices, const Steps& steps) {
  const auto pixels = static_cast<std::size_t>(dataset_.pixels());
  Rows rows;
  for (const std::int64_t index : indices) {
    const std::uint8_t* const source =
        dataset_.images.data() + static_cast<std::size_t>(index) * pixels;
    std::vector<std::uint8_t> image(source, source + pixels);
    if (augmenter_) {
      (*augmenter_)(source, steps.epoch, index, image.data(), steps.augment_strength);
    }
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
  const Linear& linear = state_.weights.layers[layer];
  const bool last = layer + 1 == state_.weights.layers.size();
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
  const Linear& linear = state_.weights.layers[layer];
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

/// Inverted dropout.
void ScalarEngine::drop(std::size_t layer, Rows& values) const {
  for (std::size_t e = 0; e < values.size(); ++e) {
    for (std::size_t unit = 0; unit < values[e].size(); ++unit) {
      values[e][unit] *= dropouts_[layer].factor(state_.steps, e, unit);
    }
  }
}

/// Clips the gradient, then takes the step that optimizer_step.hpp describes.
void ScalarEngine::update(OptimizerStep numbers) {
  const std::vector<float> gradients = flatten(gradients_);
  double squares = 0;
  for (const float g : gradients) squares += static_cast<double>(g) * static_cast<double>(g);
  if (options_.clip_norm > 0) {
    numbers.clip =
        static_cast<float>(std::min(1.0, options_.clip_norm / (std::sqrt(squares) + kClipEpsilon)));
  }
  std::vector<float> weights = flatten(state_.weights);
  std::vector<float> first = flatten(state_.first_moments);
  std::vector<float> second = flatten(state_.second_moments);
  std::vector<float> averages = flatten(state_.averages.value_or(state_.weights));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float gradient = numbers.clip * gradients[i] + numbers.l2_penalty * weights[i];
    first[i] = kBeta1F * first[i] + kGain1F * gradient;
    second[i] = kBeta2F * second[i] + kGain2F * gradient * gradient;
    const float divisor = numbers.root_scale * std::sqrt(second[i]) + kAdamEpsilonF;
    weights[i] = numbers.decay * weights[i] - numbers.rate * first[i] / divisor;
    averages[i] += numbers.average_weight * (weights[i] - averages[i]);
  }
  const MlpShape shape = state_.weights.shape();
  state_.weights = unflatten(shape, weights);
  state_.first_moments = unflatten(shape, first);
  state_.second_moments = unflatten(shape, second);
  if (state_.averages) state_.averages = unflatten(shape, averages);
}

NamedNorms ScalarEngine::gradient_norms() const {
  NamedNorms norms;
  const std::vector<float> gradients = flatten(gradients_);
  auto next = gradients.begin();
  for (const ParameterInfo& parameter : parameter_table(state_.weights.shape())) {
    double squares = 0;
    for (std::int64_t i = 0; i < parameter.count; ++i, ++next) {
      squares += static_cast<double>(*next) * static_cast<double>(*next);
    }
    norms.emplace_back(parameter.name, std::sqrt(squares));
  }
  return norms;
}

}  // namespace mnist
