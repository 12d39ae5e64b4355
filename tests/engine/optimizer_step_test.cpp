// The coefficients of a step: bias corrections, both kinds of weight decay, averaging weights.
#include "engine/optimizer_step.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(OptimizerStep, CorrectsTheBiasOfBothMoments) {
  const OptimizerStep first = optimizer_step({}, 1, 0.01);
  EXPECT_FLOAT_EQ(first.rate, 0.1F);
  EXPECT_FLOAT_EQ(first.root_scale, 1 / std::sqrt(0.001F));
  EXPECT_NEAR(optimizer_step({}, 100, 0.01).rate, 0.01 / (1 - std::pow(0.9, 100)), 1e-9);
}

TEST(OptimizerStep, DecaysWeightsAsTheOptimizerDoes) {
  const OptimizerStep adam = optimizer_step({.weight_decay = 0.2}, 1, 0.01);
  EXPECT_EQ(adam.l2_penalty, 0.2F);
  EXPECT_EQ(adam.decay, 1);
  const OptimizerStep adamw =
      optimizer_step({.optimizer = Optimizer::kAdamW, .weight_decay = 0.2}, 1, 0.01);
  EXPECT_EQ(adamw.l2_penalty, 0);
  EXPECT_EQ(adamw.decay, 0.998F);
}

TEST(OptimizerStep, AveragesEveryEighthStep) {
  const auto weight = [](double ema, std::int64_t step) {
    return average_weight({.ema = ema}, step);
  };
  EXPECT_EQ(weight(0, 8), 0);
  for (std::int64_t step = 1; step < 8; ++step) EXPECT_EQ(weight(0.9, step), 0);
  EXPECT_NEAR(weight(0.999, 80'000), 1 - std::pow(0.999, 8), 1e-15);
  EXPECT_NEAR(weight(0.999, 8), 1 - std::pow(8.0 / 18, 8), 1e-15) << "forgets the start";
  EXPECT_FLOAT_EQ(optimizer_step({.ema = 0.999}, 8, 0.001).average_weight,
                  static_cast<float>(weight(0.999, 8)));
}

}  // namespace
}  // namespace mnist
