// Which units are dropped in a step: the same ones in every engine.
#include "engine/dropout.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {

Dropout::Dropout(double probability, std::uint64_t seed, std::size_t layer)
    : kept_(std::max<std::uint32_t>(
          1, static_cast<std::uint32_t>(std::lround((1 - probability) * kAll)))),
      seed_(seed),
      layer_(layer) {}

}  // namespace mnist
