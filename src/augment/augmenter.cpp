// Draws the random numbers of an image in a fixed order, then resamples it.
#include "augment/augmenter.hpp"

#include <algorithm>

#include "augment/distortion.hpp"

namespace mnist {

Augmenter::Augmenter(const AugmentOptions& options, std::int64_t rows, std::int64_t columns,
                     std::uint64_t seed)
    : options_(options),
      rows_(rows),
      columns_(columns),
      seed_(seed),
      scratch_(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)) {
  if (options.elastic > 0) {
    field_.emplace(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns),
                   options.elastic_smoothness);
  }
}

void Augmenter::operator()(const std::uint8_t* image, std::int64_t epoch, std::int64_t index,
                           std::uint8_t* distorted, double strength) {
  const AugmentOptions options = options_.weakened(strength);
  const RandomStream stream(seed_, RandomPurpose::kAugmentation, static_cast<std::uint32_t>(epoch));
  DistortionNumbers numbers(stream, index);
  const AffineMap map =
      draw_affine_map(options, static_cast<float>(rows_), static_cast<float>(columns_), numbers);
  if (field_) {
    const auto elastic = static_cast<float>(options.elastic);
    for (float& x : field_->x) x = elastic * numbers.normal();
    for (float& y : field_->y) y = elastic * numbers.normal();
  }
  resample(image, map, field_ ? &*field_ : nullptr, distorted, scratch_);
  if (options.erasing == 0) return;
  const Rectangle erased =
      draw_erased(options, static_cast<int>(rows_), static_cast<int>(columns_), numbers);
  for (int y = erased.top; y < erased.top + erased.height; ++y) {
    std::fill_n(distorted + y * columns_ + erased.left, erased.width, std::uint8_t{0});
  }
}

}  // namespace mnist
