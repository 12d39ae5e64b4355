// Geometric distortion of an image by bilinear interpolation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/aligned.hpp"

namespace mnist {

/// Maps a target pixel (x, y) to its source: (xx * x + xy * y + x0, yx * x + yy * y + y0).
struct AffineMap {
  float xx = 1, xy = 0, x0 = 0;
  float yx = 0, yy = 1, y0 = 0;
};

/// A displacement field: cubic B-splines over a coarse grid of control points. If these are
/// independent with variance 1, the field approximates white noise smoothed by a Gaussian with a
/// standard deviation of 1/sqrt(3) grid spacings, and has variance 1 everywhere.
struct SplineField {
  /// `smoothness` is the Gaussian's standard deviation in pixels.
  SplineField(std::size_t rows, std::size_t columns, double smoothness);

  std::size_t grid_rows;
  std::size_t grid_columns;
  std::size_t padded_columns;
  std::vector<float> row_weights;             ///< [rows, grid_rows]
  AlignedVector<float> column_weights;        ///< [grid_columns, padded columns]
  std::vector<float> x, y;                    ///< control points, [grid_rows, grid_columns], pixels
  AlignedVector<float> x_columns, y_columns;  ///< scratch: [grid_rows, padded columns]
};

/// Memory that resample() needs for images of one size.
struct ResampleScratch {
  ResampleScratch(std::size_t image_rows, std::size_t image_columns);

  std::size_t rows, columns;
  std::vector<std::uint8_t> padded;    ///< [rows + 2, columns + 2 + lanes]
  std::vector<std::uint32_t> squares;  ///< [rows + 1, columns + 1], four pixels each
  std::vector<std::uint8_t> row;       ///< one row of the result, rounded up to whole vectors
};

/// Distorts `image` by `map` and, unless it is null, `field`. Both images are u8 [rows, columns]
/// and must not overlap. Pixels outside of the source are 0.
void resample(const std::uint8_t* image, const AffineMap& map, SplineField* field,
              std::uint8_t* distorted, ResampleScratch& scratch);

}  // namespace mnist
