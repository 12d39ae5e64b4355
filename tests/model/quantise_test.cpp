// Int8 quantization of weights.
#include "model/quantise.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(Quantise, ScalesEachRowSeparately) {
  const QuantisedWeights quantised =
      quantise({"0.weight", {2, 3}, {127, -63.6F, 0, 0.5F, -1.27F, 0.005F}});
  EXPECT_EQ(quantised.values, (std::vector<std::int8_t>{127, -64, 0, 50, -127, 1}));
  EXPECT_FLOAT_EQ(quantised.scales[0], 1);
  EXPECT_FLOAT_EQ(quantised.scales[1], 0.01F);
}

TEST(Quantise, KeepsRowsOfZeros) {
  EXPECT_EQ(quantise({"0.weight", {1, 2}, {0, 0}}).values, (std::vector<std::int8_t>{0, 0}));
}

TEST(Quantise, RoundTripIsAccurateToHalfAStep) {
  const StateDict state{{"0.weight", {1, 4}, {1, 0.3F, -0.77F, 0.004F}}, {"0.bias", {1}, {0.123F}}};
  const StateDict back = through_int8(state);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(back[0].values[i], state[0].values[i], 0.5 / 127 + 1e-6);
  }
  EXPECT_NE(back[0].values, state[0].values);
  EXPECT_EQ(back[1].values, state[1].values);
}

}  // namespace
}  // namespace mnist
