// Prepares what minibatches of the CUDA engine are made of, on the device.
#include "engine/cuda/preparer.hpp"

#include "augment/resample.hpp"

namespace mnist {
namespace {

constexpr float kLargestPixel = 255;

}  // namespace

CudaPreparer::CudaPreparer(CudaDevice& device, const CudaPlan& plan, const Dataset& dataset,
                           const EngineOptions& options)
    : device_(device), images_(device), row_weights_(device), column_weights_(device) {
  preparation_.seed = options.seed;
  preparation_.image_rows = static_cast<int>(dataset.rows);
  preparation_.image_columns = static_cast<int>(dataset.columns);
  preparation_.pixel_words = plan.pixel_words;
  preparation_.augment = options.augment;
  for (int layer = 0; layer < plan.layer_count; ++layer) {
    const auto number = static_cast<std::size_t>(layer);
    preparation_.masks[layer].dropout = Dropout(options.dropout_of(number), options.seed, number);
    preparation_.masks[layer].units = plan.layers[layer].inputs;
    masks_.emplace_back(device);
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

float CudaPreparer::pixel_scale() const {
  return preparation_.masks[0].dropout.scale() / kLargestPixel;
}

void CudaPreparer::prepare(const CudaPlan& plan, const Steps& steps, std::int64_t first_step,
                           CudaSteps& given) {
  CudaPreparation preparation = preparation_;
  preparation.batch = plan.batch;
  preparation.tiles = plan.tiles;
  preparation.steps = static_cast<int>(steps.count());
  preparation.first_step = first_step;
  preparation.epoch = steps.epoch;
  preparation.row_count = std::ssize(steps.rows);
  preparation.rows = given.rows;
  preparation.images = given.images;

  bool any_masks = false;
  for (std::size_t layer = 0; layer < masks_.size(); ++layer) {
    CudaMasks& masks = preparation.masks[layer];
    if (!masks.dropout.on()) continue;
    any_masks = true;
    masks_[layer].reserve(static_cast<std::size_t>(std::int64_t{preparation.steps} *
                                                   preparation.tiles * masks.units));
    masks.kept = masks_[layer].data();
    if (layer == 0) continue;  // that of the inputs is in the images
    given.kept[layer - 1] = masks.kept;
    given.kept_scale[layer - 1] = masks.dropout.scale();
  }
  if (preparation.augment.any() || preparation.masks[0].dropout.on()) {
    images_.reserve(steps.rows.size() * static_cast<std::size_t>(preparation.pixel_words));
    preparation.prepared = images_.data();
    given.images = images_.data();
    given.in_order = true;
  }
  if (any_masks || preparation.prepared != nullptr) device_.prepare(preparation);
}

}  // namespace mnist
