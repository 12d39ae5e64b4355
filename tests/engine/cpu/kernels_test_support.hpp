// What the tests of the kernels share: a layer with inputs, weights and gradients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "engine/cpu/kernels.hpp"
#include "support/aligned.hpp"
#include "support/random.hpp"

namespace mnist {

inline constexpr std::size_t kInputs = 46;
inline constexpr std::size_t kExamples = 45;  // one full tile and one partial tile
inline constexpr std::size_t kTiles = 2;
inline constexpr std::size_t kColumns = 240;  // 15 blocks: runs of 8, 4, 2 and 1 vectors

/// Uniform random numbers in -1..1, a function of `stream`.
inline AlignedVector<float> noise(std::size_t count, std::uint32_t stream) {
  const RandomStream random(1, RandomPurpose::kInitialization, stream);
  AlignedVector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = 2 * random.uniform(i) - 1;
  return values;
}

/// Dropout masks that keep each example with probability 1/2.
inline std::vector<std::uint32_t> random_masks(std::size_t count) {
  const RandomStream random(3, RandomPurpose::kDropout, 0);
  std::vector<std::uint32_t> masks(count);
  for (std::size_t i = 0; i < count; ++i) masks[i] = random.bits(i);
  return masks;
}

class Kernels : public ::testing::TestWithParam<const CpuKernels*> {
 protected:
  Kernels() {
    const RandomStream random(2, RandomPurpose::kInitialization, 0);
    for (std::size_t e = 0; e < kTiles * kTile; ++e) {
      for (std::size_t k = 0; k < kInputs; ++k) {
        const std::uint32_t bits = random.bits(e * kInputs + k);
        const bool zero = bits % 3 != 0 || e >= kExamples;
        images_[e * kInputs + k] = zero ? std::uint8_t{0} : static_cast<std::uint8_t>(bits >> 24);
      }
    }
    for (std::size_t tile = 0; tile < kTiles; ++tile) {
      const std::uint8_t* rows[kTile];
      for (std::size_t e = 0; e < kTile; ++e) rows[e] = &images_[(tile * kTile + e) * kInputs];
      GetParam()->transpose_pixels(rows, 0, kInputs, nullptr, &pixels_[tile * kInputs * kTile],
                                   &masks_[tile * kInputs]);
    }
    inputs_ = {kInputs, kTiles, masks_.data(), pixels_.data(), values_.data(), nullptr, 0};
  }

  double value(std::size_t e, std::size_t k) const { return images_[e * kInputs + k] / 255.0; }

  ParameterSlice slice() {
    return {kColumns, weights_.data(), first_.data(), second_.data(), squares_.data()};
  }

  AlignedVector<std::uint8_t> images_ = AlignedVector<std::uint8_t>(kTiles * kTile * kInputs);
  AlignedVector<std::uint8_t> pixels_ = images_;
  AlignedVector<std::uint32_t> masks_ = AlignedVector<std::uint32_t>(kTiles * kInputs);
  const std::vector<float> values_ = pixel_values();
  std::vector<std::uint8_t> active_ = std::vector<std::uint8_t>(kInputs / 2);
  LayerInputs inputs_;
  AlignedVector<float> weights_ = noise(kInputs * kColumns, 1);
  AlignedVector<float> first_ = noise(kInputs * kColumns, 2);
  AlignedVector<float> second_ = AlignedVector<float>(kInputs * kColumns, 0.01F);
  AlignedVector<float> squares_ = AlignedVector<float>(kColumns);
  AlignedVector<float> deltas_ = noise(kTiles * kTile * kColumns, 3);
};

}  // namespace mnist
