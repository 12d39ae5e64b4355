// The random decisions behind a distorted image, shared by CPU and CUDA code.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "augment/resample.hpp"
#include "mnist/augment/augment_options.hpp"
#include "support/host_device.hpp"
#include "support/random.hpp"

namespace mnist {

/// The random numbers of one image, in order. uniform() consumes one 32-bit word of the stream,
/// normal() two.
class DistortionNumbers {
 public:
  /// Starts at word `first_word` of the sequence of example `index`.
  MNIST_HOST_DEVICE DistortionNumbers(const RandomStream& stream, std::int64_t index,
                                      std::uint64_t first_word = 0)
      : stream_(stream), next_(static_cast<std::uint64_t>(index) * kImageWords + first_word) {}

  /// Uniform in [low, high).
  MNIST_HOST_DEVICE float uniform(double low, double high) {
    const float unit = static_cast<float>(word() >> 8) * 0x1p-24F;
    return static_cast<float>(low) + static_cast<float>(high - low) * unit;
  }

  /// Approximately normal, with mean 0 and variance 1: the sum of four uniform numbers.
  MNIST_HOST_DEVICE float normal() {
    constexpr std::uint32_t kLow = 0xFFFF;
    constexpr float kRootOf3 = 1.7320508F;
    const std::uint32_t a = word();
    const std::uint32_t b = word();
    const std::uint32_t sum = (a & kLow) + (a >> 16) + (b & kLow) + (b >> 16);
    return (static_cast<float>(sum) * 0x1p-16F - 2.0F) * kRootOf3;
  }

 private:
  static constexpr std::uint64_t kBlockWords = 4;
  static constexpr std::uint64_t kImageWords = kBlockWords << 20;  // more than any image needs

  MNIST_HOST_DEVICE std::uint32_t word() {
    if (next_ / kBlockWords != block_) {
      block_ = next_ / kBlockWords;
      words_ = stream_.block(block_);
    }
    return words_[next_++ % kBlockWords];
  }

  RandomStream stream_;
  std::uint64_t next_;
  std::uint64_t block_ = ~std::uint64_t{0};  ///< index of words_; initially none
  std::array<std::uint32_t, kBlockWords> words_{};
};

/// Words that draw_affine_map() and normal() consume. Those of the elastic field follow the map's.
inline constexpr std::uint64_t kWordsOfAffineMap = 7;
inline constexpr std::uint64_t kWordsOfNormal = 2;

/// source = center + flip * rotation * shear * scale * (target - center) + translation.
MNIST_HOST_DEVICE inline AffineMap draw_affine_map(const AugmentOptions& options, float rows,
                                                   float columns, DistortionNumbers& numbers) {
  constexpr double kRadians = 3.14159265358979323846 / 180;
  const auto either_way = [&](double strength) { return numbers.uniform(-strength, strength); };
  const float angle = either_way(options.rotation * kRadians);
  const float slant = tanf(either_way(options.shear * kRadians));
  const float width = 1 / (1 + either_way(options.scaling));
  const float height = 1 / (1 + either_way(options.scaling));
  const float right = either_way(options.translation);
  const float down = either_way(options.translation);
  const float mirror = numbers.uniform(0, 1) < static_cast<float>(options.flip) ? -1.0F : 1.0F;

  const float sine = sinf(angle);
  const float cosine = cosf(angle);
  AffineMap map;
  map.xx = mirror * cosine * width;
  map.xy = mirror * (cosine * slant - sine) * height;
  map.yx = sine * width;
  map.yy = (sine * slant + cosine) * height;
  const float center_x = (columns - 1) / 2;
  const float center_y = (rows - 1) / 2;
  map.x0 = center_x - map.xx * center_x - map.xy * center_y + right;
  map.y0 = center_y - map.yx * center_x - map.yy * center_y + down;
  return map;
}

/// A rectangle of pixels.
struct Rectangle {
  int left = 0, top = 0;
  int width = 0, height = 0;
};

/// The rectangle that random erasing blanks; empty with probability 1 - options.erasing.
MNIST_HOST_DEVICE inline Rectangle draw_erased(const AugmentOptions& options, int rows, int columns,
                                               DistortionNumbers& numbers) {
  // Fractions of the image's area, and the largest aspect ratio, as in the paper.
  constexpr float kMinErased = 0.02F;
  constexpr float kMaxErased = 0.33F;
  constexpr float kMaxAspect = 3.3F;
  if (numbers.uniform(0, 1) >= static_cast<float>(options.erasing)) return {};
  const float area = numbers.uniform(kMinErased, kMaxErased) * static_cast<float>(rows * columns);
  const float log_aspect = logf(kMaxAspect);
  const float aspect = expf(numbers.uniform(-log_aspect, log_aspect));
  const auto side = [](float length, int max) {
    const int rounded = static_cast<int>(lroundf(length));
    return rounded < 1 ? 1 : rounded > max ? max : rounded;
  };
  Rectangle erased;
  erased.width = side(sqrtf(area * aspect), columns);
  erased.height = side(sqrtf(area / aspect), rows);
  erased.left = static_cast<int>(numbers.uniform(0, columns - erased.width + 1));
  erased.top = static_cast<int>(numbers.uniform(0, rows - erased.height + 1));
  return erased;
}

}  // namespace mnist
