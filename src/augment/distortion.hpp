// The random decisions of one distorted image: the same ones on the processor and on a GPU.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "augment/resample.hpp"
#include "mnist/augment/augment_options.hpp"
#include "support/host_device.hpp"
#include "support/random.hpp"

namespace mnist {

/// The random numbers of one image, one after another. Each is made of words: uniform() of one,
/// normal() of two.
class DistortionNumbers {
 public:
  /// Begins at word `first_word` of row `row`.
  MNIST_HOST_DEVICE DistortionNumbers(const RandomStream& stream, std::int64_t row,
                                      std::uint64_t first_word = 0)
      : stream_(stream), next_(static_cast<std::uint64_t>(row) * kWordsOfAnImage + first_word) {}

  /// Uniform in [low, high).
  MNIST_HOST_DEVICE float uniform(double low, double high) {
    const float unit = static_cast<float>(word() >> 8) * 0x1p-24F;
    return static_cast<float>(low) + static_cast<float>(high - low) * unit;
  }

  /// Mean 0, variance 1: the sum of four uniform numbers, which is near enough to a normal one.
  MNIST_HOST_DEVICE float normal() {
    constexpr std::uint32_t kLow = 0xFFFF;
    constexpr float kRootOf3 = 1.7320508F;
    const std::uint32_t a = word();
    const std::uint32_t b = word();
    const std::uint32_t sum = (a & kLow) + (a >> 16) + (b & kLow) + (b >> 16);
    return (static_cast<float>(sum) * 0x1p-16F - 2.0F) * kRootOf3;
  }

 private:
  static constexpr std::uint64_t kWordsOfBlock = 4;
  static constexpr std::uint64_t kWordsOfAnImage = kWordsOfBlock << 20;  // more than one uses

  MNIST_HOST_DEVICE std::uint32_t word() {
    if (next_ / kWordsOfBlock != block_) {
      block_ = next_ / kWordsOfBlock;
      words_ = stream_.block(block_);
    }
    return words_[next_++ % kWordsOfBlock];
  }

  RandomStream stream_;
  std::uint64_t next_;
  std::uint64_t block_ = ~std::uint64_t{0};  ///< that words_ are of; none yet
  std::array<std::uint32_t, kWordsOfBlock> words_{};
};

/// Words that draw_affine_map() takes; then come two for each of a field's numbers.
inline constexpr std::uint64_t kWordsOfAffineMap = 7;
inline constexpr std::uint64_t kWordsOfNormal = 2;

/// Around the middle of the image: source = middle + mirror * rotate * shear * scale *
/// (place - middle) + translation.
MNIST_HOST_DEVICE inline AffineMap draw_affine_map(const AugmentOptions& options, float rows,
                                                   float columns, DistortionNumbers& numbers) {
  constexpr double kRadians = 3.14159265358979323846 / 180;
  const auto around_zero = [&](double strength) { return numbers.uniform(-strength, strength); };
  const float angle = around_zero(options.rotation * kRadians);
  const float slant = tanf(around_zero(options.shear * kRadians));
  const float width = 1 / (1 + around_zero(options.scaling));
  const float height = 1 / (1 + around_zero(options.scaling));
  const float right = around_zero(options.translation);
  const float down = around_zero(options.translation);
  const float mirror = numbers.uniform(0, 1) < static_cast<float>(options.flip) ? -1.0F : 1.0F;

  const float sine = sinf(angle);
  const float cosine = cosf(angle);
  AffineMap map;
  map.xx = mirror * cosine * width;
  map.xy = mirror * (cosine * slant - sine) * height;
  map.yx = sine * width;
  map.yy = (sine * slant + cosine) * height;
  const float middle_x = (columns - 1) / 2;
  const float middle_y = (rows - 1) / 2;
  map.x0 = middle_x - map.xx * middle_x - map.xy * middle_y + right;
  map.y0 = middle_y - map.yx * middle_x - map.yy * middle_y + down;
  return map;
}

/// A part of an image, in pixels.
struct Rectangle {
  int left = 0, top = 0;
  int width = 0, height = 0;
};

/// What random erasing blanks; empty when it leaves the image alone.
MNIST_HOST_DEVICE inline Rectangle draw_erased(const AugmentOptions& options, int rows, int columns,
                                               DistortionNumbers& numbers) {
  // Of the image's area and of width to height, as in the paper.
  constexpr float kSmallestErased = 0.02F;
  constexpr float kLargestErased = 0.33F;
  constexpr float kMostErasedAspect = 3.3F;
  if (numbers.uniform(0, 1) >= static_cast<float>(options.erasing)) return {};
  const float area =
      numbers.uniform(kSmallestErased, kLargestErased) * static_cast<float>(rows * columns);
  const float log_aspect = logf(kMostErasedAspect);
  const float aspect = expf(numbers.uniform(-log_aspect, log_aspect));
  const auto side = [](float length, int most) {
    const int rounded = static_cast<int>(lroundf(length));
    return rounded < 1 ? 1 : rounded > most ? most : rounded;
  };
  Rectangle erased;
  erased.width = side(sqrtf(area * aspect), columns);
  erased.height = side(sqrtf(area / aspect), rows);
  erased.left = static_cast<int>(numbers.uniform(0, columns - erased.width + 1));
  erased.top = static_cast<int>(numbers.uniform(0, rows - erased.height + 1));
  return erased;
}

}  // namespace mnist
