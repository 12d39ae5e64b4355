// The kernels that draw dropout masks and augment images before the CUDA engine trains; see
// shard-inl.hpp for `Block`.
#pragma once

#include <cmath>

#include "augment/distortion.hpp"
#include "engine/cuda/shard-inl.hpp"

namespace mnist::cuda {

template <class Block>
MNIST_DEVICE void draw_masks(const CudaPreparationArgs& args, const Block& block) {
  for (const CudaMasks& masks : args.masks) {
    if (masks.keep == nullptr) continue;
    const std::int64_t count = std::int64_t{args.steps} * args.tiles * masks.units;
    for (std::int64_t i = std::int64_t{block.index} * block.threads + block.thread; i < count;
         i += std::int64_t{block.blocks} * block.threads) {
      const std::int64_t unit = i % masks.units;
      const std::int64_t tile = i / masks.units % args.tiles;
      const std::int64_t step = args.first_step + i / masks.units / args.tiles;
      masks.keep[i] =
          masks.dropout.keep(step, static_cast<std::size_t>(tile), static_cast<std::size_t>(unit));
    }
  }
}

struct Distortion {
  AffineMap map;
  Rectangle erased;
};

/// One component of the elastic displacement at a pixel; `points` are the control points.
MNIST_DEVICE float displacement(const CudaPreparationArgs& args, const float* points, int y,
                                int x) {
  float sum = 0;
  for (int i = 0; i < args.grid_rows; ++i) {
    float of_row = 0;
    for (int j = 0; j < args.grid_columns; ++j) {
      of_row +=
          points[i * args.grid_columns + j] * args.column_weights[j * args.padded_columns + x];
    }
    sum += args.row_weights[y * args.grid_rows + i] * of_row;
  }
  return sum;
}

/// Bilinear interpolation in an image that is 0 outside its borders; see resample().
MNIST_DEVICE float interpolate(const std::uint8_t* image, int rows, int columns, float x, float y) {
  const auto pixel = [&](int row, int column) {
    const bool inside = row >= 0 && row < rows && column >= 0 && column < columns;
    return inside ? static_cast<float>(image[row * columns + column]) : 0.0F;
  };
  x = fminf(fmaxf(x, -1.0F), static_cast<float>(columns));
  y = fminf(fmaxf(y, -1.0F), static_cast<float>(rows));
  const float left = floorf(x);
  const float top = floorf(y);
  const int column = static_cast<int>(left);
  const int row = static_cast<int>(top);
  const auto between = [](float fraction, float a, float b) { return a + fraction * (b - a); };
  return between(y - top, between(x - left, pixel(row, column), pixel(row, column + 1)),
                 between(x - left, pixel(row + 1, column), pixel(row + 1, column + 1)));
}

/// Draws the distortion of example `index`: the first thread its map and rectangle, all threads
/// the field.
template <class Block>
MNIST_DEVICE void draw_distortion(const CudaPreparationArgs& args, std::int32_t index, Block& block,
                                  Distortion& distortion, float* field) {
  const RandomStream stream(args.seed, RandomPurpose::kAugmentation,
                            static_cast<std::uint32_t>(args.epoch));
  const int numbers_of_field = 2 * args.field_points();
  if (block.thread == 0) {
    DistortionNumbers numbers(stream, index);
    distortion.map = draw_affine_map(args.augment, static_cast<float>(args.image_rows),
                                     static_cast<float>(args.image_columns), numbers);
    distortion.erased = {};
    if (args.augment.erasing > 0) {
      DistortionNumbers last(
          stream, index,
          kWordsOfAffineMap + kWordsOfNormal * static_cast<std::uint64_t>(numbers_of_field));
      distortion.erased = draw_erased(args.augment, args.image_rows, args.image_columns, last);
    }
  }
  for (int i = block.thread; i < numbers_of_field; i += block.threads) {
    DistortionNumbers numbers(stream, index,
                              kWordsOfAffineMap + kWordsOfNormal * static_cast<std::uint64_t>(i));
    field[i] = static_cast<float>(args.augment.elastic) * numbers.normal();
  }
}

/// The value of a pixel of a distorted image, 0 to 255.
MNIST_DEVICE std::uint8_t distorted_pixel(const CudaPreparationArgs& args,
                                          const std::uint8_t* image, const Distortion& distortion,
                                          const float* field, int y, int x) {
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
  if (args.grid_rows > 0) {
    from_x += displacement(args, field, y, x);
    from_y += displacement(args, field + args.field_points(), y, x);
  }
  return static_cast<std::uint8_t>(
      rintf(interpolate(image, args.image_rows, args.image_columns, from_x, from_y)));
}

/// Writes the images of all indices; each block makes one at a time.
template <class Block>
MNIST_DEVICE void distort_images(const CudaPreparationArgs& args, Block& block) {
  auto& distortion = *reinterpret_cast<Distortion*>(block.shared);
  float* const field = block.shared + shared_floats_of(args) - 2 * args.field_points();
  const CudaMasks& masks = args.masks[0];
  const int pixels = args.image_rows * args.image_columns;
  for (int i = block.index; i < args.index_count; i += block.blocks) {
    const auto* const image = reinterpret_cast<const std::uint8_t*>(
        args.images + std::int64_t{args.indices[i]} * args.pixel_words);
    auto* const to =
        reinterpret_cast<std::uint8_t*>(args.prepared + std::int64_t{i} * args.pixel_words);
    const int step = i / args.batch;
    const int example = i % args.batch;
    const std::int64_t tile = std::int64_t{step} * args.tiles + example / kCudaLanes;
    if (args.augment.any()) draw_distortion(args, args.indices[i], block, distortion, field);
    block.sync();
    for (int p = block.thread; p < kPixelsPerWord * args.pixel_words; p += block.threads) {
      const bool keep =
          p < pixels && (masks.keep == nullptr ||
                         (masks.keep[tile * masks.units + p] >> example % kCudaLanes & 1) != 0);
      if (!keep) {
        to[p] = 0;
      } else if (args.augment.any()) {
        to[p] = distorted_pixel(args, image, distortion, field, p / args.image_columns,
                                p % args.image_columns);
      } else {
        to[p] = image[p];
      }
    }
    block.sync();
  }
}

}  // namespace mnist::cuda
