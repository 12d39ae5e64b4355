// Distorts training images at random, anew in every epoch.
#include "mnist/data/augment.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mnist {
namespace {

// More random blocks than one image uses.
constexpr std::uint64_t kBlocksOfAnImage = 1 << 20;

// Of the image's area and of width to height, as in the paper.
constexpr float kSmallestErased = 0.02F;
constexpr float kLargestErased = 0.33F;
constexpr float kMostErasedAspect = 3.3F;

}  // namespace

/// The random numbers of one image, one after another.
class Augmenter::Numbers {
 public:
  Numbers(const RandomStream& stream, std::int64_t row)
      : stream_(stream), next_(static_cast<std::uint64_t>(row) * kBlocksOfAnImage) {}

  /// Uniform in [low, high).
  float uniform(double low, double high) {
    const float unit = static_cast<float>(word() >> 8) * 0x1p-24F;
    return static_cast<float>(low) + static_cast<float>(high - low) * unit;
  }

  /// Mean 0, variance 1: the sum of four uniform numbers, which is near enough to a normal one.
  float normal() {
    constexpr std::uint32_t kLow = 0xFFFF;
    const std::uint32_t a = word();
    const std::uint32_t b = word();
    const std::uint32_t sum = (a & kLow) + (a >> 16) + (b & kLow) + (b >> 16);
    return (static_cast<float>(sum) * 0x1p-16F - 2.0F) * std::numbers::sqrt3_v<float>;
  }

 private:
  std::uint32_t word() {
    if (used_ == words_.size()) {
      words_ = stream_.block(next_++);
      used_ = 0;
    }
    return words_[used_++];
  }

  const RandomStream& stream_;
  std::uint64_t next_;
  std::array<std::uint32_t, 4> words_{};
  std::size_t used_ = 4;
};

Augmenter::Augmenter(const AugmentOptions& options, std::int64_t rows, std::int64_t columns,
                     std::uint64_t seed)
    : options_(options),
      rows_(rows),
      columns_(columns),
      seed_(seed),
      resample_(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)) {
  if (options.elastic > 0) {
    field_.emplace(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns),
                   options.elastic_smoothness);
  }
}

void Augmenter::operator()(const std::uint8_t* image, std::int64_t epoch, std::int64_t row,
                           std::uint8_t* distorted) {
  const RandomStream stream(seed_, RandomPurpose::kAugmentation, static_cast<std::uint32_t>(epoch));
  Numbers numbers(stream, row);
  const AffineMap map = affine_map(numbers);
  if (field_) draw_field(numbers);
  resample_(image, map, field_ ? &*field_ : nullptr, distorted);
  if (options_.erasing > 0) erase(numbers, distorted);
}

/// Around the middle of the image: source = middle + mirror * rotate * shear * scale *
/// (place - middle) + translation.
AffineMap Augmenter::affine_map(Numbers& numbers) const {
  constexpr double kRadians = std::numbers::pi / 180;
  const auto around_zero = [&](double strength) { return numbers.uniform(-strength, strength); };
  const float angle = around_zero(options_.rotation * kRadians);
  const float slant = std::tan(around_zero(options_.shear * kRadians));
  const float width = 1 / (1 + around_zero(options_.scaling));
  const float height = 1 / (1 + around_zero(options_.scaling));
  const float right = around_zero(options_.translation);
  const float down = around_zero(options_.translation);
  const float mirror = numbers.uniform(0, 1) < static_cast<float>(options_.flip) ? -1.0F : 1.0F;

  const float sine = std::sin(angle);
  const float cosine = std::cos(angle);
  AffineMap map;
  map.xx = mirror * cosine * width;
  map.xy = mirror * (cosine * slant - sine) * height;
  map.yx = sine * width;
  map.yy = (sine * slant + cosine) * height;
  const float middle_x = static_cast<float>(columns_ - 1) / 2;
  const float middle_y = static_cast<float>(rows_ - 1) / 2;
  map.x0 = middle_x - map.xx * middle_x - map.xy * middle_y + right;
  map.y0 = middle_y - map.yx * middle_x - map.yy * middle_y + down;
  return map;
}

void Augmenter::draw_field(Numbers& numbers) {
  const auto strength = static_cast<float>(options_.elastic);
  for (float& x : field_->x) x = strength * numbers.normal();
  for (float& y : field_->y) y = strength * numbers.normal();
}

void Augmenter::erase(Numbers& numbers, std::uint8_t* image) const {
  if (numbers.uniform(0, 1) >= static_cast<float>(options_.erasing)) return;
  const float area =
      numbers.uniform(kSmallestErased, kLargestErased) * static_cast<float>(rows_ * columns_);
  const float log_aspect = std::log(kMostErasedAspect);
  const float aspect = std::exp(numbers.uniform(-log_aspect, log_aspect));
  const auto side = [](float length, std::int64_t most) {
    return std::clamp<std::int64_t>(std::lround(length), 1, most);
  };
  const std::int64_t width = side(std::sqrt(area * aspect), columns_);
  const std::int64_t height = side(std::sqrt(area / aspect), rows_);
  const auto left =
      static_cast<std::int64_t>(numbers.uniform(0, static_cast<double>(columns_ - width + 1)));
  const auto top =
      static_cast<std::int64_t>(numbers.uniform(0, static_cast<double>(rows_ - height + 1)));
  for (std::int64_t y = top; y < top + height; ++y) {
    std::fill_n(image + y * columns_ + left, width, std::uint8_t{0});
  }
}

}  // namespace mnist
