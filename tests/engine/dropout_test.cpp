// Tests the rate, the scale and the independence of dropout masks.
#include "engine/dropout.hpp"

#include <bit>
#include <set>

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(Dropout, KeepsEverythingWhenOff) {
  const Dropout dropout(0, 1, 1);
  EXPECT_FALSE(dropout.on());
  EXPECT_EQ(dropout.scale(), 1.0F);
  EXPECT_EQ(dropout.keep(1, 2, 3), ~std::uint32_t{0});
}

TEST(Dropout, DropsTheGivenFractionAndScalesTheRest) {
  for (const double probability : {0.1, 0.5, 0.9}) {
    const Dropout dropout(probability, 1, 1);
    constexpr std::size_t kUnits = 5000;
    int kept = 0;
    for (std::size_t unit = 0; unit < kUnits; ++unit)
      kept += std::popcount(dropout.keep(7, 0, unit));
    EXPECT_NEAR(kept / (32.0 * kUnits), 1 - probability, 0.005);
    EXPECT_NEAR(static_cast<double>(dropout.scale()), 1 / (1 - probability), 1e-3);
  }
  EXPECT_TRUE(Dropout(0.9999999, 0, 0).on());
  EXPECT_GT(Dropout(0.9999999, 0, 0).scale(), 0) << "never drops everything";
}

TEST(Dropout, EveryArgumentChangesTheMask) {
  const auto mask = [](std::uint64_t seed, std::size_t layer, std::int64_t step, std::size_t tile,
                       std::size_t unit) {
    return Dropout(0.5, seed, layer).keep(step, tile, unit);
  };
  EXPECT_EQ(mask(1, 1, 1, 1, 1), mask(1, 1, 1, 1, 1));
  const std::set<std::uint32_t> masks{mask(1, 1, 1, 1, 1), mask(2, 1, 1, 1, 1),
                                      mask(1, 2, 1, 1, 1), mask(1, 1, 2, 1, 1),
                                      mask(1, 1, 1, 2, 1), mask(1, 1, 1, 1, 2)};
  EXPECT_EQ(masks.size(), 6U);
}

}  // namespace
}  // namespace mnist
