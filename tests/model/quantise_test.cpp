// Int8 quantization of weights.
#include "model/quantise.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(Quantise, ScalesEachRowSeparately) {
  const QuantisedWeights quantised =
      quantise({3, 2, {127, -63.6F, 0, 0.5F, -1.27F, 0.005F}, {0, 0}});
  EXPECT_EQ(quantised.values, (std::vector<std::int8_t>{127, -64, 0, 50, -127, 1}));
  EXPECT_FLOAT_EQ(quantised.scales[0], 1);
  EXPECT_FLOAT_EQ(quantised.scales[1], 0.01F);
}

TEST(Quantise, RowsOfZerosStayZeros) {
  EXPECT_EQ(quantise({2, 1, {0, 0}, {0}}).values, (std::vector<std::int8_t>{0, 0}));
}

TEST(Quantise, WeightsComeBackToHalfAStep) {
  const Mlp mlp{{{4, 1, {1, 0.3F, -0.77F, 0.004F}, {0.123F}}}};
  const Mlp back = through_int8(mlp);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(back.layers[0].weight[i], mlp.layers[0].weight[i], 0.5 / 127 + 1e-6);
  }
  EXPECT_NE(back.layers[0].weight, mlp.layers[0].weight);
  EXPECT_EQ(back.layers[0].bias, mlp.layers[0].bias);
}

}  // namespace
}  // namespace mnist
