// The kernels that come before training in the CUDA engine: dropout masks, and distorted images.
// Included by cuda_kernels.cu, and by a test that runs the same source on processor threads; what a
// `Block` is: see cuda_share-inl.hpp.
#pragma once

#include <cmath>

#include "augment/distortion.hpp"
#include "engine/cuda/preparation.hpp"
#include "engine/cuda/share-inl.hpp"

namespace mnist::cuda {

/// Draws all masks; blocks need not know of one another.
template <class Block>
MNIST_DEVICE void draw_masks(const CudaPreparation& given, const Block& block) {
  for (const CudaMasks& masks : given.masks) {
    if (masks.kept == nullptr) continue;
    const std::int64_t count = std::int64_t{given.steps} * given.tiles * masks.units;
    for (std::int64_t i = std::int64_t{block.index} * block.threads + block.thread; i < count;
         i += std::int64_t{block.blocks} * block.threads) {
      const std::int64_t unit = i % masks.units;
      const std::int64_t tile = i / masks.units % given.tiles;
      const std::int64_t step = given.first_step + i / masks.units / given.tiles;
      masks.kept[i] =
          masks.dropout.keep(step, static_cast<std::size_t>(tile), static_cast<std::size_t>(unit));
    }
  }
}

/// Everything about the image in hand that all of its pixels share.
struct Distortion {
  AffineMap map;
  Rectangle erased;
};

/// One coordinate of an elastic field at a pixel; `points` are the control points.
MNIST_DEVICE float displacement(const CudaPreparation& given, const float* points, int y, int x) {
  float sum = 0;
  for (int i = 0; i < given.grid_rows; ++i) {
    float of_row = 0;
    for (int j = 0; j < given.grid_columns; ++j) {
      of_row +=
          points[i * given.grid_columns + j] * given.column_weights[j * given.padded_columns + x];
    }
    sum += given.row_weights[y * given.grid_rows + i] * of_row;
  }
  return sum;
}

/// Bilinear interpolation in an image, outside of which all is 0; see Resampler.
MNIST_DEVICE float interpolate(const std::uint8_t* image, int rows, int columns, float x, float y) {
  const auto pixel = [&](int row, int column) {
    const bool inside = row >= 0 && row < rows && column >= 0 && column < columns;
    return inside ? static_cast<float>(image[row * columns + column]) : 0.0F;
  };
  const auto clamp = [](float value, float most) {
    return value < -1 ? -1.0F : value > most ? most : value;
  };
  x = clamp(x, static_cast<float>(columns));
  y = clamp(y, static_cast<float>(rows));
  const float left = floorf(x);
  const float top = floorf(y);
  const int column = static_cast<int>(left);
  const int row = static_cast<int>(top);
  const auto between = [](float part, float a, float b) { return a + part * (b - a); };
  return between(y - top, between(x - left, pixel(row, column), pixel(row, column + 1)),
                 between(x - left, pixel(row + 1, column), pixel(row + 1, column + 1)));
}

/// Draws what happens to image `row`: one thread's work, and then everyone's.
template <class Block>
MNIST_DEVICE void draw_distortion(const CudaPreparation& given, std::int32_t row, Block& block,
                                  Distortion& distortion, float* field) {
  const RandomStream stream(given.seed, RandomPurpose::kAugmentation,
                            static_cast<std::uint32_t>(given.epoch));
  const int numbers_of_field = 2 * given.field_points();
  if (block.thread == 0) {
    DistortionNumbers numbers(stream, row);
    distortion.map = draw_affine_map(given.augment, static_cast<float>(given.image_rows),
                                     static_cast<float>(given.image_columns), numbers);
    distortion.erased = {};
    if (given.augment.erasing > 0) {
      DistortionNumbers last(
          stream, row,
          kWordsOfAffineMap + kWordsOfNormal * static_cast<std::uint64_t>(numbers_of_field));
      distortion.erased = draw_erased(given.augment, given.image_rows, given.image_columns, last);
    }
  }
  for (int i = block.thread; i < numbers_of_field; i += block.threads) {
    DistortionNumbers numbers(stream, row,
                              kWordsOfAffineMap + kWordsOfNormal * static_cast<std::uint64_t>(i));
    field[i] = static_cast<float>(given.augment.elastic) * numbers.normal();
  }
}

/// The value of a pixel of a distorted image, 0 to 255.
MNIST_DEVICE std::uint8_t distorted_pixel(const CudaPreparation& given, const std::uint8_t* image,
                                          const Distortion& distortion, const float* field, int y,
                                          int x) {
  const Rectangle& erased = distortion.erased;
  if (x >= erased.left && x < erased.left + erased.width && y >= erased.top &&
      y < erased.top + erased.height) {
    return 0;
  }
  const AffineMap& map = distortion.map;
  const auto column = static_cast<float>(x);
  const auto row = static_cast<float>(y);
  float from_x = column * map.xx + (map.xy * row + map.x0);
  float from_y = column * map.yx + (map.yy * row + map.y0);
  if (given.grid_rows > 0) {
    from_x += displacement(given, field, y, x);
    from_y += displacement(given, field + given.field_points(), y, x);
  }
  return static_cast<std::uint8_t>(
      rintf(interpolate(image, given.image_rows, given.image_columns, from_x, from_y)));
}

/// Makes the images of all rows, a block one image at a time.
template <class Block>
MNIST_DEVICE void distort_images(const CudaPreparation& given, Block& block) {
  auto& distortion = *reinterpret_cast<Distortion*>(block.shared);
  float* const field = block.shared + shared_floats_of(given) - 2 * given.field_points();
  const CudaMasks& masks = given.masks[0];
  const int pixels = given.image_rows * given.image_columns;
  for (int i = block.index; i < given.row_count; i += block.blocks) {
    const auto* const image = reinterpret_cast<const std::uint8_t*>(
        given.images + std::int64_t{given.rows[i]} * given.pixel_words);
    auto* const to =
        reinterpret_cast<std::uint8_t*>(given.prepared + std::int64_t{i} * given.pixel_words);
    const int step = i / given.batch;
    const int example = i % given.batch;
    const std::int64_t tile = std::int64_t{step} * given.tiles + example / kCudaLanes;
    if (given.augment.any()) draw_distortion(given, given.rows[i], block, distortion, field);
    block.sync();
    for (int p = block.thread; p < kPixelsOfWord * given.pixel_words; p += block.threads) {
      std::uint8_t value = 0;
      const bool kept = masks.kept == nullptr || p >= pixels ||
                        (masks.kept[tile * masks.units + p] >> example % kCudaLanes & 1) != 0;
      if (p < pixels && kept) {
        value = given.augment.any()
                    ? distorted_pixel(given, image, distortion, field, p / given.image_columns,
                                      p % given.image_columns)
                    : image[p];
      }
      to[p] = value;
    }
    block.sync();
  }
}

}  // namespace mnist::cuda
