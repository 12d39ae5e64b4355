// Dropout masks, the same for every engine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "support/random.hpp"

namespace mnist {

/// Inverted dropout (Srivastava et al. 2014): each unit is kept with probability 1 - p, and what is
/// kept is scaled by 1 / (1 - p). A mask is a pure function of the seed, the layer, the step, the
/// unit, and the example's place in the minibatch.
class Dropout {
 public:
  /// `probability`: of dropping, 0 to below 1; rounded to a multiple of 2^-16.
  /// `layer`: 0 for the network's inputs, n for hidden layer n.
  Dropout(double probability, std::uint64_t seed, std::size_t layer);

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

 private:
  static constexpr std::uint32_t kAll = 1 << 16;
  // Room for every unit of a layer and every tile of a minibatch, beside one another in an index.
  static constexpr int kUnitBits = 20;
  static constexpr int kTileBits = 20;

  std::uint32_t kept_;
  std::uint64_t seed_;
  std::uint64_t layer_;
};

}  // namespace mnist
