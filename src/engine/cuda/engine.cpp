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

}  // namespace

CudaEngine::CudaEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                       std::int64_t batch, std::unique_ptr<CudaDevice> device)
    : shape_(initial.shape()),
      options_(options),
      device_(std::move(device)),
      plan_(make_cuda_plan(shape_, std::min(batch, dataset.count), device_->limits())),
      images_(*device_, packed_images(dataset, plan_.pixel_words)),
      labels_(*device_, dataset.labels),
      weights_(*device_, flatten(initial)),
      first_moments_(*device_, flatten(zero_mlp(shape_))),
      second_moments_(*device_, flatten(zero_mlp(shape_))),
      averages_(*device_),
      exchange_(*device_),
      squares_(*device_,
               std::vector<float>(static_cast<std::size_t>(2 * plan_.layer_count * plan_.blocks))),
      losses_(*device_),
      correct_(*device_),
      indices_(*device_),
      steps_(*device_),
      preparer_(*device_, plan_, dataset, options) {
  device_->check_fits(plan_);
  exchange_.reserve(static_cast<std::size_t>(plan_.exchange));
  if (options.ema > 0) averages_.upload(flatten(initial));
}

CudaStep CudaEngine::numbers_of(std::int64_t step, double learning_rate) const {
  const OptimizerStep step_numbers = optimizer_step(options_, step, learning_rate);
  CudaStep numbers;
  numbers.rate = static_cast<float>(learning_rate / step_numbers.correction1);
  numbers.root_scale = static_cast<float>(1 / std::sqrt(step_numbers.correction2));
  numbers.keep = static_cast<float>(step_numbers.decay);
  numbers.average_weight = static_cast<float>(step_numbers.average_weight);
  return numbers;
}

CudaRules CudaEngine::rules() const {
  const OptimizerStep step_numbers = optimizer_step(options_, 1, 0);
  CudaRules rules;
  rules.beta1 = static_cast<float>(step_numbers.beta1);
  rules.beta2 = static_cast<float>(step_numbers.beta2);
  rules.epsilon = static_cast<float>(step_numbers.epsilon);
  rules.l2_penalty = static_cast<float>(step_numbers.l2_penalty);
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
  indices_.upload(std::vector<std::int32_t>(steps.indices.begin(), steps.indices.end()));
  losses_.reserve(steps.indices.size());
  correct_.reserve(steps.indices.size());

  CudaPlan plan = plan_;
  plan.batch = static_cast<int>(std::min<std::int64_t>(steps.batch, plan_.batch));
  CudaTrainArgs args;
  args.rules = rules();
  args.images = images_.data();
  args.labels = labels_.data();
  args.indices = indices_.data();
  args.index_count = std::ssize(steps.indices);
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
  const std::vector<float> losses = losses_.download(steps.indices.size());
  for (auto rest = std::span<const float>(losses); !rest.empty();) {
    const auto minibatch = rest.first(std::min(rest.size(), static_cast<std::size_t>(steps.batch)));
    const double sum = std::accumulate(minibatch.begin(), minibatch.end(), 0.0);
    result.losses.push_back(static_cast<float>(sum / static_cast<double>(minibatch.size())));
    rest = rest.subspan(minibatch.size());
  }
  const std::vector<std::uint8_t> correct = correct_.download(steps.indices.size());
  result.correct = std::accumulate(correct.begin(), correct.end(), std::int64_t{0});
  return result;
}

/// A copy of an array of all parameters.
Mlp CudaEngine::download(const CudaArray<float>& array) const {
  return unflatten(shape_, array.download(static_cast<std::size_t>(plan_.all_parameters)));
}

Mlp CudaEngine::parameters() const {
  return download(options_.ema > 0 ? averages_ : weights_);
}

EngineState CudaEngine::state() const {
  EngineState state{
      steps_done_, download(weights_), download(first_moments_), download(second_moments_), {}};
  if (options_.ema > 0) state.averages = download(averages_);
  return state;
}

void CudaEngine::restore(const EngineState& state) {
  steps_done_ = state.steps;
  weights_.upload(flatten(state.weights));
  first_moments_.upload(flatten(state.first_moments));
  second_moments_.upload(flatten(state.second_moments));
  if (options_.ema > 0) averages_.upload(flatten(state.averages.value()));
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
