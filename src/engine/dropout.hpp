// Dropout masks, the same for every engine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "support/random.hpp"

namespace mnist {

/// Inverted dropout (Srivastava et al. 2014): each unit is kept with probability 1 - p, and what is
/// kept is scaled by 1 / (1 - p). A mask is a pure function of the seed, the layer, the step, the
/// unit, and the example's place in the minibatch.
class Dropout {
 public:
  Dropout() = default;  ///< keeps all

  /// `probability`: of dropping, 0 to below 1; rounded to a multiple of 2^-16.
  /// `layer`: 0 for the network's inputs, n for hidden layer n.
  Dropout(double probability, std::uint64_t seed, std::size_t layer)
      : kept_(std::max(std::uint32_t{1},
                       static_cast<std::uint32_t>(std::lround((1 - probability) * kAll)))),
        seed_(seed),
        layer_(layer) {}

  MNIST_HOST_DEVICE bool on() const { return kept_ < kAll; }
  MNIST_HOST_DEVICE float scale() const {
    return static_cast<float>(kAll) / static_cast<float>(kept_);
  }

  /// For examples 32 * tile to 32 * tile + 31 of the minibatch, a bit each: 1 keeps `unit`.
  MNIST_HOST_DEVICE std::uint32_t keep(std::int64_t step, std::size_t tile,
                                       std::size_t unit) const {
    if (!on()) return ~std::uint32_t{0};
    const RandomStream stream(seed_, RandomPurpose::kDropout, static_cast<std::uint32_t>(step));
    return stream.bernoulli(kept_, (layer_ << kTileBits | tile) << kUnitBits | unit);
  }

  /// keep() of units begin .. end - 1, written to masks[begin] .. masks[end - 1].
  void keep_units(std::int64_t step, std::size_t tile, std::size_t begin, std::size_t end,
                  std::uint32_t* masks) const {
    for (std::size_t unit = begin; unit < end; ++unit) masks[unit] = keep(step, tile, unit);
  }

  /// The factor on `unit` for one example of the minibatch: scale(), or 0 where it is dropped.
  MNIST_HOST_DEVICE float factor(std::int64_t step, std::size_t example, std::size_t unit) const {
    return (keep(step, example / 32, unit) >> example % 32 & 1) != 0 ? scale() : 0.0F;
  }

 private:
  static constexpr std::uint32_t kAll = 1 << 16;
  // Large enough for every unit of a layer and every tile of a minibatch: no two share an index.
  static constexpr int kUnitBits = 20;
  static constexpr int kTileBits = 20;

  std::uint32_t kept_ = kAll;
  std::uint64_t seed_ = 0;
  std::uint64_t layer_ = 0;
};

}  // namespace mnist
