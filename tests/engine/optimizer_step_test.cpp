// The numbers of a step: bias corrections, both kinds of weight decay, averaging weights.
#include "engine/optimizer_step.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace mnist {
namespace {

double average_weight(double ema, std::int64_t step) {
  return optimizer_step({.ema = ema}, step, 0.001).average_weight;
}

TEST(OptimizerStep, CorrectsTheBiasOfBothMoments) {
  const OptimizerStep first = optimizer_step({}, 1, 0.01);
  EXPECT_EQ(first.learning_rate, 0.01);
  EXPECT_NEAR(first.correction1, 0.1, 1e-15);
  EXPECT_NEAR(first.correction2, 0.001, 1e-15);
  EXPECT_NEAR(optimizer_step({}, 100, 0.01).correction1, 1 - std::pow(0.9, 100), 1e-15);
}

TEST(OptimizerStep, DecaysWeightsAsTheOptimizerDoes) {
  const OptimizerStep adam = optimizer_step({.weight_decay = 0.2}, 1, 0.01);
  EXPECT_EQ(adam.l2_penalty, 0.2);
  EXPECT_EQ(adam.decay, 1);
  const OptimizerStep adamw =
      optimizer_step({.optimizer = Optimizer::kAdamW, .weight_decay = 0.2}, 1, 0.01);
  EXPECT_EQ(adamw.l2_penalty, 0);
  EXPECT_DOUBLE_EQ(adamw.decay, 0.998);
}

TEST(OptimizerStep, AveragesEveryEighthStep) {
  EXPECT_EQ(average_weight(0, 8), 0);
  for (std::int64_t step = 1; step < 8; ++step) EXPECT_EQ(average_weight(0.9, step), 0);
  EXPECT_NEAR(average_weight(0.999, 80'000), 1 - std::pow(0.999, 8), 1e-15);
  EXPECT_NEAR(average_weight(0.999, 8), 1 - std::pow(8.0 / 18, 8), 1e-15) << "forgets the start";
}

}  // namespace
}  // namespace mnist
