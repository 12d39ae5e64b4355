// Keeps parameters and data set in device memory and launches the kernel on chunks of steps.
#include "engine/cuda/engine.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace mnist {
namespace {

/// All images, each padded with zeros to whole words.
std::vector<std::uint32_t> packed_images(const Dataset& dataset, int words_per_image) {
  const auto words = static_cast<std::size_t>(words_per_image);
  const auto pixels = static_cast<std::size_t>(dataset.pixels());
  const auto count = static_cast<std::size_t>(dataset.count);
  std::vector<std::uint32_t> images(count * words);
  for (std::size_t n = 0; n < count; ++n) {
    std::memcpy(images.data() + n * words, dataset.images.data() + n * pixels, pixels);
  }
  return images;
}

/// All values of a state dict, one tensor after another.
std::vector<float> in_a_row(const StateDict& state, double scale = 1) {
  std::vector<float> values;
  for (const NamedTensor& tensor : state) {
    values.insert(values.end(), tensor.values.begin(), tensor.values.end());
  }
  if (scale != 1) {
    for (float& value : values) value *= static_cast<float>(scale);
  }
  return values;
}

}  // namespace

CudaEngine::CudaEngine(const MlpShape& shape, const StateDict& initial, const Dataset& dataset,
                       const EngineOptions& options, std::int64_t batch,
                       std::unique_ptr<CudaDevice> device)
    : shape_(shape),
      options_(options),
      device_(std::move(device)),
      plan_(make_cuda_plan(shape, std::min(batch, dataset.count), device_->limits())),
      images_(*device_, packed_images(dataset, plan_.pixel_words)),
      labels_(*device_, dataset.labels),
      weights_(*device_, in_a_row(initial)),
      first_moments_(*device_, in_a_row(initial, 0)),
      second_moments_(*device_, in_a_row(initial, 0)),
      averages_(*device_),
      exchange_(*device_),
      squares_(*device_,
               std::vector<float>(static_cast<std::size_t>(2 * plan_.layer_count * plan_.blocks))),
      losses_(*device_),
      correct_(*device_),
      rows_(*device_),
      steps_(*device_),
      preparer_(*device_, plan_, dataset, options) {
  device_->check_fits(plan_);
  exchange_.reserve(static_cast<std::size_t>(plan_.exchange));
  if (options.ema > 0) averages_.upload(in_a_row(initial));
}

CudaStep CudaEngine::numbers_of(std::int64_t step, double learning_rate) const {
  const auto t = static_cast<double>(step);
  CudaStep numbers;
  numbers.rate = static_cast<float>(learning_rate / (1 - std::pow(kAdamBeta1, t)));
  numbers.root_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(kAdamBeta2, t)));
  if (options_.optimizer == Optimizer::kAdamW) {
    numbers.keep = static_cast<float>(1 - learning_rate * options_.weight_decay);
  }
  numbers.average_weight = static_cast<float>(average_weight(options_.ema, step));
  return numbers;
}

CudaRules CudaEngine::rules() const {
  CudaRules rules;
  rules.beta1 = static_cast<float>(kAdamBeta1);
  rules.beta2 = static_cast<float>(kAdamBeta2);
  rules.epsilon = static_cast<float>(kAdamEpsilon);
  if (options_.optimizer == Optimizer::kAdam) {
    rules.l2_penalty = static_cast<float>(options_.weight_decay);
  }
  rules.smoothing = static_cast<float>(options_.label_smoothing);
  rules.clip_norm = static_cast<float>(options_.clip_norm);
  rules.clip_epsilon = static_cast<float>(kClipEpsilon);
  rules.pixel_scale = preparer_.pixel_scale();
  return rules;
}

StepsResult CudaEngine::train(const Steps& steps) {
  const auto count = static_cast<std::size_t>(steps.count());
  const std::int64_t first_step = steps_done_ + 1;
  std::vector<CudaStep> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = numbers_of(++steps_done_, steps.learning_rates[i]);
  }
  steps_.upload(numbers);
  rows_.upload(std::vector<std::int32_t>(steps.rows.begin(), steps.rows.end()));
  losses_.reserve(steps.rows.size());
  correct_.reserve(steps.rows.size());

  CudaPlan plan = plan_;
  plan.batch = static_cast<int>(std::min<std::int64_t>(steps.batch, plan_.batch));
  CudaTrainArgs args;
  args.rules = rules();
  args.images = images_.data();
  args.labels = labels_.data();
  args.indices = rows_.data();
  args.index_count = std::ssize(steps.rows);
  args.steps = steps_.data();
  args.count = static_cast<int>(count);
  args.weights = weights_.data();
  args.first_moments = first_moments_.data();
  args.second_moments = second_moments_.data();
  args.averages = averages_.data();
  args.exchange = exchange_.data();
  args.squares = squares_.data();
  args.losses = losses_.data();
  args.correct = correct_.data();
  preparer_.prepare(plan, steps, first_step, args);
  device_->train(plan, args);

  StepsResult result;
  const std::vector<float> losses = losses_.download(steps.rows.size());
  for (auto rest = std::span<const float>(losses); !rest.empty();) {
    const auto minibatch = rest.first(std::min(rest.size(), static_cast<std::size_t>(steps.batch)));
    const double sum = std::accumulate(minibatch.begin(), minibatch.end(), 0.0);
    result.losses.push_back(static_cast<float>(sum / static_cast<double>(minibatch.size())));
    rest = rest.subspan(minibatch.size());
  }
  const std::vector<std::uint8_t> correct = correct_.download(steps.rows.size());
  result.correct = std::accumulate(correct.begin(), correct.end(), std::int64_t{0});
  return result;
}

/// A copy of an array of all parameters, with their names.
StateDict CudaEngine::named(const CudaArray<float>& array) const {
  const std::vector<float> values = array.download(static_cast<std::size_t>(plan_.all_parameters));
  StateDict state;
  auto next = values.begin();
  for (const ParameterInfo& parameter : parameter_table(shape_)) {
    state.push_back({parameter.name, parameter.shape, {next, next + parameter.count}});
    next += parameter.count;
  }
  return state;
}

StateDict CudaEngine::parameters() const {
  return named(options_.ema > 0 ? averages_ : weights_);
}

EngineState CudaEngine::state() const {
  EngineState state{
      steps_done_, named(weights_), named(first_moments_), named(second_moments_), {}};
  if (options_.ema > 0) state.averages = named(averages_);
  return state;
}

void CudaEngine::restore(const EngineState& state) {
  steps_done_ = state.steps;
  weights_.upload(in_a_row(state.weights));
  first_moments_.upload(in_a_row(state.first_moments, state.first_scale));
  second_moments_.upload(in_a_row(state.second_moments, state.second_scale));
  if (options_.ema > 0) averages_.upload(in_a_row(state.averages));
}

NamedNorms CudaEngine::gradient_norms() const {
  const auto blocks = static_cast<std::size_t>(plan_.blocks);
  const std::vector<float> squares =
      squares_.download(2 * static_cast<std::size_t>(plan_.layer_count) * blocks);
  NamedNorms norms;
  for (const ParameterInfo& parameter : parameter_table(shape_)) {
    const auto begin = squares.begin() + std::ssize(norms) * plan_.blocks;
    norms.emplace_back(parameter.name,
                       std::sqrt(std::accumulate(begin, begin + plan_.blocks, 0.0)));
  }
  return norms;
}

std::string CudaEngine::description() const {
  return "fused on " + device_->name() + ", " + std::to_string(plan_.blocks) + " blocks";
}

}  // namespace mnist
