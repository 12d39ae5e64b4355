// Which units are dropped in a step: the same ones in every engine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mnist/support/random.hpp"

namespace mnist {

/// Inverted dropout (Srivastava et al. 2014): each unit is kept with probability 1 - p, and what is
/// kept is scaled by 1 / (1 - p). A mask is a pure function of the seed, the layer, the step, the
/// unit, and the example's place in the minibatch.
class Dropout {
 public:
  /// `probability`: of dropping, 0 to below 1; rounded to a multiple of 2^-16.
  /// `layer`: 0 for the network's inputs, n for hidden layer n.
  Dropout(double probability, std::uint64_t seed, std::size_t layer);

  bool on() const { return kept_ < kAll; }
  float scale() const { return static_cast<float>(kAll) / static_cast<float>(kept_); }

  /// For examples 32 * tile to 32 * tile + 31 of the minibatch, a bit each: 1 keeps `unit`.
  std::uint32_t keep(std::int64_t step, std::size_t tile, std::size_t unit) const;

 private:
  static constexpr std::uint32_t kAll = 1 << 16;

  std::uint32_t kept_;
  std::uint64_t seed_;
  std::uint64_t layer_;
};

}  // namespace mnist
