// Tests the update schedule of the averaged weights.
#include "engine/engine_options.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(AverageWeight, IsZeroWhenOffAndBetweenUpdates) {
  EXPECT_EQ(average_weight(0, 8), 0);
  for (std::int64_t step = 1; step < 8; ++step) EXPECT_EQ(average_weight(0.9, step), 0);
  EXPECT_GT(average_weight(0.9, 8), 0);
}

TEST(AverageWeight, CoversEightStepsPerUpdate) {
  EXPECT_NEAR(average_weight(0.999, 80'000), 1 - std::pow(0.999, 8), 1e-15);
  EXPECT_NEAR(average_weight(0.999, 8), 1 - std::pow(8.0 / 18, 8), 1e-15)
      << "decays faster at the start";
}

}  // namespace
}  // namespace mnist
