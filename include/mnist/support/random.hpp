// Random numbers without state: each is a pure function of a seed, a purpose and two indices.
// The generator is Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace mnist {

/// What a random number is for. Streams of different purposes are independent of one another.
/// The values are part of what a seed means: never renumber them.
enum class RandomPurpose : std::uint32_t {
  kInitialisation = 1,
  kShuffle = 2,
  kValidationSplit = 3,
  kAugmentation = 4,
  kDropout = 5,
};

/// One block of Philox 4x32 with ten rounds.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

/// The stream of numbers for one seed, purpose and epoch (or layer, or whatever is counted).
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint32_t epoch);

  /// Four words of uniform bits; block n holds bits(4 n) to bits(4 n + 3).
  std::array<std::uint32_t, 4> block(std::uint64_t index) const;

  /// 32 uniform bits for `index`.
  std::uint32_t bits(std::uint64_t index) const;

  /// Uniform in [0, 1), with 24 bits, for `index`.
  float uniform(std::uint64_t index) const;

  /// 32 independent bits for `index`, each 1 with probability numerator / 2^16. Takes four blocks
  /// of its own for each index: do not mix with other uses of a stream.
  std::uint32_t coins(std::uint32_t numerator, std::uint64_t index) const;

  /// Uniform in 0 .. bound - 1 for `index`; its bias is below 2^-32 for bounds up to 2^32.
  std::uint32_t below(std::uint32_t bound, std::uint64_t index) const;

  /// A uniformly random order of 0 .. count - 1 (Fisher and Yates).
  std::vector<std::int64_t> permutation(std::int64_t count) const;

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t purpose_;
  std::uint32_t epoch_;
};

}  // namespace mnist
