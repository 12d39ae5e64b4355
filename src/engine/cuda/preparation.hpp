// What the CUDA engine makes before it trains: distorted images and dropout masks for some steps.
#pragma once

#include <cstdint>

#include "engine/cuda/plan.hpp"
#include "engine/dropout.hpp"
#include "mnist/augment/augment_options.hpp"
#include "support/host_device.hpp"

namespace mnist {

/// Which units of a layer, or which pixels, each step keeps.
struct CudaMasks {
  Dropout dropout{0, 0, 0};
  int units = 0;
  std::uint32_t* kept = nullptr;  ///< [steps, tiles, units], a bit for each example of the tile
};

/// Every pointer is one of the device's.
struct CudaPreparation {
  int batch = 0;
  int tiles = 0;
  int steps = 0;
  std::int64_t first_step = 0;  ///< of the run, from 1
  std::int64_t epoch = 0;
  std::uint64_t seed = 0;
  std::int64_t row_count = 0;
  const std::int32_t* rows = nullptr;  ///< [row_count]

  // Dropout: of the inputs, then of each hidden layer. Layers without it have no masks.
  CudaMasks masks[kMaxCudaLayers];

  // Images: distorted, with dropped pixels blank; one for each row, in the order of training.
  int image_rows = 0;
  int image_columns = 0;
  int pixel_words = 0;
  const std::uint32_t* images = nullptr;  ///< [n, pixel_words], as they are
  std::uint32_t* prepared = nullptr;      ///< [row_count, pixel_words]; null leaves images alone
  AugmentOptions augment;
  int grid_rows = 0;  ///< of the elastic field; 0: there is none
  int grid_columns = 0;
  int padded_columns = 0;
  const float* row_weights = nullptr;     ///< SplineField::row_weights
  const float* column_weights = nullptr;  ///< SplineField::column_weights

  MNIST_HOST_DEVICE int field_points() const { return grid_rows * grid_columns; }
};

/// Floats of shared memory that distort_images() needs: an affine map, a rectangle, a field.
MNIST_HOST_DEVICE inline int shared_floats_of(const CudaPreparation& preparation) {
  constexpr int kMapAndRectangle = 16;
  return kMapAndRectangle + 2 * preparation.field_points();
}

}  // namespace mnist
