// The kernel that augments images before the CUDA engine trains; see shard-inl.hpp for `Block`.
#pragma once

#include <cmath>

#include "augment/distortion.hpp"
#include "engine/cuda/shard-inl.hpp"

namespace mnist::cuda {

/// One component of the elastic displacement at a pixel; `points` are the control points.
MNIST_DEVICE float displacement(const CudaArgs& args, const float* points, int y, int x) {
  float sum = 0;
  for (int i = 0; i < args.grid_rows; ++i) {
    float row_sum = 0;
    for (int j = 0; j < args.grid_columns; ++j) {
      row_sum +=
          points[i * args.grid_columns + j] * args.column_weights[j * args.padded_columns + x];
    }
    sum += args.row_weights[y * args.grid_rows + i] * row_sum;
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
  const auto lerp = [](float fraction, float a, float b) { return a + fraction * (b - a); };
  return lerp(y - top, lerp(x - left, pixel(row, column), pixel(row, column + 1)),
              lerp(x - left, pixel(row + 1, column), pixel(row + 1, column + 1)));
}

/// The distortion of one image.
class Distortion {
 public:
  /// Draws the distortion of example `index`. All threads of the block must call it, and
  /// synchronize before they read pixels and before they draw the next: they share the elastic
  /// field.
  template <class Block>
  MNIST_DEVICE Distortion(const CudaArgs& args, std::int32_t index, const Block& block)
      : args_(args), field_(block.shared) {
    const RandomStream stream(args.seed, RandomPurpose::kAugmentation,
                              static_cast<std::uint32_t>(args.epoch));
    const int numbers_of_field = 2 * args.field_points();
    DistortionNumbers numbers(stream, index);
    map_ = draw_affine_map(args.augment, static_cast<float>(args.image_rows),
                           static_cast<float>(args.image_columns), numbers);
    const auto after_map = [&](int normals) {
      return DistortionNumbers(
          stream, index, kWordsOfAffineMap + kWordsOfNormal * static_cast<std::uint64_t>(normals));
    };
    if (args.augment.erasing > 0) {
      DistortionNumbers last = after_map(numbers_of_field);
      erased_ = draw_erased(args.augment, args.image_rows, args.image_columns, last);
    }
    for (int i = block.thread; i < numbers_of_field; i += block.threads) {
      block.shared[i] = static_cast<float>(args.augment.elastic) * after_map(i).normal();
    }
  }

  /// The value of a pixel of the distorted image, 0 to 255.
  MNIST_DEVICE std::uint8_t pixel(const std::uint8_t* image, int y, int x) const {
    if (x >= erased_.left && x < erased_.left + erased_.width && y >= erased_.top &&
        y < erased_.top + erased_.height) {
      return 0;
    }
    const auto column = static_cast<float>(x);
    const auto row = static_cast<float>(y);
    float source_x = column * map_.xx + (map_.xy * row + map_.x0);
    float source_y = column * map_.yx + (map_.yy * row + map_.y0);
    if (args_.grid_rows > 0) {
      source_x += displacement(args_, field_, y, x);
      source_y += displacement(args_, field_ + args_.field_points(), y, x);
    }
    return static_cast<std::uint8_t>(
        rintf(interpolate(image, args_.image_rows, args_.image_columns, source_x, source_y)));
  }

 private:
  const CudaArgs& args_;
  const float* field_;
  AffineMap map_;
  Rectangle erased_;
};

/// Writes the images of all indices; each block makes one at a time.
template <class Block>
MNIST_DEVICE void distort_images(const CudaPlan& plan, const CudaArgs& args, Block& block) {
  const Dropout& dropout = args.dropouts[0];
  const int pixels = args.image_rows * args.image_columns;
  for (int i = block.index; i < args.index_count; i += block.blocks) {
    const auto* const image = reinterpret_cast<const std::uint8_t*>(
        args.images + std::int64_t{args.indices[i]} * plan.pixel_words);
    auto* const to =
        reinterpret_cast<std::uint8_t*>(args.prepared + std::int64_t{i} * plan.pixel_words);
    const Distortion distortion(args, args.indices[i], block);
    block.sync();
    for (int p = block.thread; p < kPixelsPerWord * plan.pixel_words; p += block.threads) {
      const bool keep = p < pixels && dropout.factor(args.first_step + i / args.batch,
                                                     static_cast<std::size_t>(i % args.batch),
                                                     static_cast<std::size_t>(p)) > 0;
      if (!keep) {
        to[p] = 0;
      } else if (args.augment.any()) {
        to[p] = distortion.pixel(image, p / args.image_columns, p % args.image_columns);
      } else {
        to[p] = image[p];
      }
    }
    block.sync();
  }
}

}  // namespace mnist::cuda
