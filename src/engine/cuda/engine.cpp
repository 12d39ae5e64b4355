// Keeps parameters and dataset in device memory and launches the kernel on chunks of steps.
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

}  // namespace

CudaEngine::CudaEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                       std::unique_ptr<CudaDevice> device)
    : shape_(initial.shape()),
      options_(options),
      device_(std::move(device)),
      plan_(make_cuda_plan(shape_, std::min(options.batch, dataset.count), device_->limits())) {
  device_->check_fits(plan_);
  for (int layer = 0; layer < plan_.layer_count; ++layer) {
    const auto number = static_cast<std::size_t>(layer);
    args_.dropouts[layer] = Dropout(options.dropout_of(number), options.seed, number);
  }
  args_.label_smoothing = static_cast<float>(options.label_smoothing);
  args_.clip_norm = static_cast<float>(options.clip_norm);
  args_.pixel_scale = args_.dropouts[0].scale() / static_cast<float>(kMaxPixel);
  args_.images = images_.upload(packed_images(dataset, plan_.pixel_words));
  args_.labels = labels_.upload(dataset.labels);
  args_.exchange = exchange_.reserve(static_cast<std::size_t>(plan_.exchange));
  args_.squares = squares_.upload(
      std::vector<float>(static_cast<std::size_t>(2 * plan_.layer_count * plan_.blocks)));
  CudaEngine::restore({0, initial, zero_mlp(shape_), zero_mlp(shape_), initial});

  args_.seed = options.seed;
  args_.image_rows = static_cast<int>(dataset.rows);
  args_.image_columns = static_cast<int>(dataset.columns);
  if (options.augment.elastic == 0) return;
  const SplineField field(static_cast<std::size_t>(dataset.rows),
                          static_cast<std::size_t>(dataset.columns),
                          options.augment.elastic_smoothness);
  args_.grid_rows = static_cast<int>(field.grid_rows);
  args_.grid_columns = static_cast<int>(field.grid_columns);
  args_.padded_columns = static_cast<int>(field.padded_columns);
  args_.row_weights = row_weights_.upload(field.row_weights);
  args_.column_weights = column_weights_.upload(field.column_weights);
}

StepsResult CudaEngine::train(const Steps& steps) {
  const std::size_t examples = steps.indices.size();
  std::vector<OptimizerStep> optimizer_steps;
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    optimizer_steps.push_back(optimizer_step(options_, steps_done_ + 1 + i,
                                             steps.learning_rates[static_cast<std::size_t>(i)]));
  }
  args_.count = static_cast<int>(steps.count());
  args_.batch = static_cast<int>(std::min<std::int64_t>(steps.batch, plan_.examples));
  args_.first_step = steps_done_ + 1;
  args_.epoch = steps.epoch;
  args_.augment = options_.augment.weakened(steps.augment_strength);
  args_.steps = steps_.upload(optimizer_steps);
  args_.index_count = std::ssize(steps.indices);
  args_.indices =
      indices_.upload(std::vector<std::int32_t>(steps.indices.begin(), steps.indices.end()));
  args_.losses = losses_.reserve(examples);
  args_.correct = correct_.reserve(examples);
  if (options_.augment.any() || args_.dropouts[0].on()) {
    args_.prepared = prepared_.reserve(examples * static_cast<std::size_t>(plan_.pixel_words));
  }
  device_->train(plan_, args_);
  steps_done_ += steps.count();

  StepsResult result;
  const std::vector<float> losses = losses_.download(examples);
  auto first = losses.begin();
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const std::int64_t count = std::ssize(steps.minibatch(i));
    const double sum = std::accumulate(first, first + count, 0.0);
    result.losses.push_back(static_cast<float>(sum / static_cast<double>(count)));
    first += count;
  }
  const std::vector<std::uint8_t> correct = correct_.download(examples);
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
  args_.weights = weights_.upload(flatten(state.weights));
  args_.first_moments = first_moments_.upload(flatten(state.first_moments));
  args_.second_moments = second_moments_.upload(flatten(state.second_moments));
  if (options_.ema > 0) args_.averages = averages_.upload(flatten(state.averages.value()));
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
