// Which units are dropped in a step: the same ones in every engine.
#include "mnist/engine/dropout.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {
namespace {

// Room for every unit of a layer and every tile of a minibatch, beside one another in an index.
constexpr int kUnitBits = 20;
constexpr int kTileBits = 20;

}  // namespace

Dropout::Dropout(double probability, std::uint64_t seed, std::size_t layer)
    : kept_(std::max<std::uint32_t>(
          1, static_cast<std::uint32_t>(std::lround((1 - probability) * kAll)))),
      seed_(seed),
      layer_(layer) {}

std::uint32_t Dropout::keep(std::int64_t step, std::size_t tile, std::size_t unit) const {
  if (!on()) return ~std::uint32_t{0};
  const RandomStream stream(seed_, RandomPurpose::kDropout, static_cast<std::uint32_t>(step));
  return stream.coins(kept_, (layer_ << kTileBits | tile) << kUnitBits | unit);
}

}  // namespace mnist
