// Keeps parameters and data set in device memory and launches the kernel on chunks of steps.
#include "engine/cuda/engine.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "augment/resample.hpp"
#include "engine/optimizer_step.hpp"

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

CudaStep cuda_step(const TrainOptions& options, std::int64_t step, double learning_rate) {
  const OptimizerStep numbers = optimizer_step(options, step, learning_rate);
  return {.step_size = numbers.rate,
          .root_scale = numbers.root_scale,
          .weight_decay_factor = numbers.decay,
          .average_weight = numbers.average_weight};
}

CudaHyperparameters cuda_hyperparameters(const TrainOptions& options) {
  const float input_scale = Dropout(options.input_dropout, options.seed, 0).scale();
  return {.beta1 = kBeta1F,
          .beta2 = kBeta2F,
          .epsilon = kAdamEpsilonF,
          .gain1 = kGain1F,
          .gain2 = kGain2F,
          .l2_penalty = optimizer_step(options, 1, 0).l2_penalty,
          .label_smoothing = static_cast<float>(options.label_smoothing),
          .clip_norm = static_cast<float>(options.clip_norm),
          .clip_epsilon = static_cast<float>(kClipEpsilon),
          .pixel_scale = input_scale / static_cast<float>(kMaxPixel)};
}

}  // namespace

CudaEngine::CudaEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                       std::int64_t batch, std::unique_ptr<CudaDevice> device)
    : shape_(initial.shape()),
      options_(options),
      device_(std::move(device)),
      plan_(make_cuda_plan(shape_, std::min(batch, dataset.count), device_->limits())),
      images_(*device_, packed_images(dataset, plan_.pixel_words)),
      prepared_(*device_),
      labels_(*device_, dataset.labels),
      weights_(*device_, flatten(initial)),
      first_moments_(*device_, flatten(zero_mlp(shape_))),
      second_moments_(*device_, flatten(zero_mlp(shape_))),
      averages_(*device_),
      exchange_(*device_),
      squares_(*device_,
               std::vector<float>(static_cast<std::size_t>(2 * plan_.layer_count * plan_.blocks))),
      losses_(*device_),
      row_weights_(*device_),
      column_weights_(*device_),
      correct_(*device_),
      indices_(*device_),
      steps_(*device_) {
  device_->check_fits(plan_);
  exchange_.reserve(static_cast<std::size_t>(plan_.exchange));
  if (options.ema > 0) averages_.upload(flatten(initial));

  preparation_.seed = options.seed;
  preparation_.image_rows = static_cast<int>(dataset.rows);
  preparation_.image_columns = static_cast<int>(dataset.columns);
  preparation_.pixel_words = plan_.pixel_words;
  preparation_.images = images_.data();
  preparation_.augment = options.augment;
  for (int layer = 0; layer < plan_.layer_count; ++layer) {
    const auto number = static_cast<std::size_t>(layer);
    preparation_.masks[layer].dropout = Dropout(options.dropout_of(number), options.seed, number);
    preparation_.masks[layer].units = plan_.layers[layer].inputs;
    masks_.emplace_back(*device_);
  }
  if (options.augment.elastic == 0) return;
  const SplineField field(static_cast<std::size_t>(dataset.rows),
                          static_cast<std::size_t>(dataset.columns),
                          options.augment.elastic_smoothness);
  row_weights_.upload(field.row_weights);
  column_weights_.upload(field.column_weights);
  preparation_.grid_rows = static_cast<int>(field.grid_rows);
  preparation_.grid_columns = static_cast<int>(field.grid_columns);
  preparation_.padded_columns = static_cast<int>(field.padded_columns);
  preparation_.row_weights = row_weights_.data();
  preparation_.column_weights = column_weights_.data();
}

void CudaEngine::prepare(const CudaPlan& plan, const Steps& steps, CudaTrainArgs& args) {
  CudaPreparationArgs preparation = preparation_;
  preparation.batch = plan.batch;
  preparation.tiles = plan.tiles;
  preparation.steps = static_cast<int>(steps.count());
  preparation.first_step = steps_done_ + 1;
  preparation.epoch = steps.epoch;
  preparation.index_count = std::ssize(steps.indices);
  preparation.indices = indices_.data();
  bool needed = false;
  for (std::size_t layer = 0; layer < masks_.size(); ++layer) {
    CudaMasks& masks = preparation.masks[layer];
    if (!masks.dropout.on()) continue;
    needed = true;
    masks_[layer].reserve(static_cast<std::size_t>(std::int64_t{preparation.steps} *
                                                   preparation.tiles * masks.units));
    masks.keep = masks_[layer].data();
    if (layer == 0) continue;  // applied to the prepared images
    args.keep[layer - 1] = masks.keep;
    args.keep_scale[layer - 1] = masks.dropout.scale();
  }
  if (preparation.augment.any() || preparation.masks[0].dropout.on()) {
    needed = true;
    prepared_.reserve(steps.indices.size() * static_cast<std::size_t>(plan.pixel_words));
    preparation.prepared = prepared_.data();
    args.images = prepared_.data();
    args.in_order = true;
  }
  if (needed) device_->prepare(preparation);
}

StepsResult CudaEngine::train(const Steps& steps) {
  const auto count = static_cast<std::size_t>(steps.count());
  std::vector<CudaStep> numbers;
  for (const double learning_rate : steps.learning_rates.first(count)) {
    numbers.push_back(cuda_step(options_, steps_done_ + std::ssize(numbers) + 1, learning_rate));
  }
  steps_.upload(numbers);
  indices_.upload(std::vector<std::int32_t>(steps.indices.begin(), steps.indices.end()));
  losses_.reserve(steps.indices.size());
  correct_.reserve(steps.indices.size());

  CudaPlan plan = plan_;
  plan.batch = static_cast<int>(std::min<std::int64_t>(steps.batch, plan_.batch));
  CudaTrainArgs args;
  args.hyperparameters = cuda_hyperparameters(options_);
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
  prepare(plan, steps, args);
  device_->train(plan, args);
  steps_done_ += steps.count();

  StepsResult result;
  const std::vector<float> losses = losses_.download(steps.indices.size());
  auto first = losses.begin();
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const std::int64_t examples = std::ssize(steps.minibatch(i));
    const double sum = std::accumulate(first, first + examples, 0.0);
    result.losses.push_back(static_cast<float>(sum / static_cast<double>(examples)));
    first += examples;
  }
  const std::vector<std::uint8_t> correct = correct_.download(steps.indices.size());
  result.correct = std::accumulate(correct.begin(), correct.end(), std::int64_t{0});
  return result;
}

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
