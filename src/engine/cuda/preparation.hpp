// Arguments of the kernels that run before training: dropout masks and augmented images for a chunk
// of steps.
#pragma once

#include <cstdint>

#include "engine/cuda/plan.hpp"
#include "engine/dropout.hpp"
#include "mnist/augment/augment_options.hpp"
#include "support/host_device.hpp"

namespace mnist {

/// The dropout masks of one layer's inputs.
struct CudaMasks {
  Dropout dropout{0, 0, 0};
  int units = 0;
  std::uint32_t* keep = nullptr;  ///< [steps, tiles, units], a bit per example of the tile; null
                                  ///< without dropout
};

/// All pointers are to device memory.
struct CudaPreparationArgs {
  int batch = 0;
  int tiles = 0;
  int steps = 0;
  std::int64_t first_step = 0;  ///< of the run, from 1
  std::int64_t epoch = 0;
  std::uint64_t seed = 0;
  std::int64_t index_count = 0;
  const std::int32_t* indices = nullptr;  ///< [index_count]

  CudaMasks masks[kMaxCudaLayers];  ///< of each linear layer's inputs

  int image_rows = 0;
  int image_columns = 0;
  int pixel_words = 0;
  const std::uint32_t* images = nullptr;  ///< [n, pixel_words], the data set
  std::uint32_t* prepared = nullptr;      ///< [index_count, pixel_words], augmented, with dropped
                                          ///< pixels blank; null when the data set's images serve
  AugmentOptions augment;
  int grid_rows = 0;  ///< of the elastic field; 0 without one
  int grid_columns = 0;
  int padded_columns = 0;
  const float* row_weights = nullptr;     ///< SplineField::row_weights
  const float* column_weights = nullptr;  ///< SplineField::column_weights

  MNIST_HOST_DEVICE int field_points() const { return grid_rows * grid_columns; }
};

/// Floats of shared memory that distort_images() needs: an affine map, a rectangle, a field.
MNIST_HOST_DEVICE inline int shared_floats_of(const CudaPreparationArgs& args) {
  constexpr int kMapAndRectangle = 16;
  return kMapAndRectangle + 2 * args.field_points();
}

}  // namespace mnist
