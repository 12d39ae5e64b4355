// Fills in the arguments of the preparation kernels.
#include "engine/cuda/preparer.hpp"

#include "augment/resample.hpp"

namespace mnist {

CudaPreparer::CudaPreparer(CudaDevice& device, const CudaPlan& plan, const Dataset& dataset,
                           const TrainOptions& options)
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
  return preparation_.masks[0].dropout.scale() / static_cast<float>(kMaxPixel);
}

void CudaPreparer::prepare(const CudaPlan& plan, const Steps& steps, std::int64_t first_step,
                           CudaTrainArgs& args) {
  CudaPreparationArgs preparation = preparation_;
  preparation.batch = plan.batch;
  preparation.tiles = plan.tiles;
  preparation.steps = static_cast<int>(steps.count());
  preparation.first_step = first_step;
  preparation.epoch = steps.epoch;
  preparation.index_count = std::ssize(steps.indices);
  preparation.indices = args.indices;
  preparation.images = args.images;

  bool any_masks = false;
  for (std::size_t layer = 0; layer < masks_.size(); ++layer) {
    CudaMasks& masks = preparation.masks[layer];
    if (!masks.dropout.on()) continue;
    any_masks = true;
    masks_[layer].reserve(static_cast<std::size_t>(std::int64_t{preparation.steps} *
                                                   preparation.tiles * masks.units));
    masks.keep = masks_[layer].data();
    if (layer == 0) continue;  // applied to the prepared images
    args.keep[layer - 1] = masks.keep;
    args.keep_scale[layer - 1] = masks.dropout.scale();
  }
  if (preparation.augment.any() || preparation.masks[0].dropout.on()) {
    images_.reserve(steps.indices.size() * static_cast<std::size_t>(preparation.pixel_words));
    preparation.prepared = images_.data();
    args.images = images_.data();
    args.in_order = true;
  }
  if (any_masks || preparation.prepared != nullptr) device_.prepare(preparation);
}

}  // namespace mnist
