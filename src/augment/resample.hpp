// Distorts an image: each pixel is fetched from somewhere else, by one bilinear interpolation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/aligned.hpp"

namespace mnist {

/// Where the pixels of a distorted image come from, as an affine map in pixels:
/// source x = xx * x + xy * y + x0, source y = yx * x + yy * y + y0.
struct AffineMap {
  float xx = 1, xy = 0, x0 = 0;
  float yx = 0, yy = 1, y0 = 0;
};

/// A smooth vector field over an image: cubic B-splines over a coarse grid of control points. With
/// independent control points of variance 1 it has variance 1 everywhere, and looks like noise that
/// was smoothed by a Gaussian of 1/sqrt(3) grid spacings (the spline is near to that Gaussian).
struct SplineField {
  /// `smoothness` is that Gaussian's standard deviation in pixels.
  SplineField(std::size_t rows, std::size_t columns, double smoothness);

  std::size_t points() const { return grid_rows * grid_columns; }

  std::size_t grid_rows;
  std::size_t grid_columns;
  std::size_t padded_columns;
  std::vector<float> row_weights;             ///< [rows, grid_rows]
  AlignedVector<float> column_weights;        ///< [grid_columns, padded columns]
  std::vector<float> x, y;                    ///< control points, [grid_rows, grid_columns], pixels
  AlignedVector<float> x_columns, y_columns;  ///< scratch: [grid_rows, padded columns]
};

/// Resamples images of one size. Has scratch memory of its own: one for each thread.
class Resampler {
 public:
  Resampler(std::size_t rows, std::size_t columns);

  /// Writes the image that `map`, and `field` when there is one, make of `image` (both u8
  /// [rows, columns]; not the same memory). What lies outside of the image is 0.
  void operator()(const std::uint8_t* image, const AffineMap& map, SplineField* field,
                  std::uint8_t* distorted);

  struct Scratch {
    std::size_t rows, columns;
    std::vector<std::uint8_t> padded;    ///< [rows + 2, columns + 2 and a vector]
    std::vector<std::uint32_t> squares;  ///< [rows + 1, columns + 1]: four neighbours, a byte each
    std::vector<std::uint8_t> row;       ///< of the result, as long as whole vectors
  };

 private:
  Scratch scratch_;
};

}  // namespace mnist
