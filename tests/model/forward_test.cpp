// The forward pass in plain C++; evaluate/device_evaluator_test compares it with LibTorch's.
#include "model/forward.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace mnist {
namespace {

/// Three inputs, two hidden units, one class; small enough to work out by hand.
const std::vector<Linear> kLayers{{3, 2, {1, 9, 0.5F, -1, 9, 0.25F}, {0.5F, 0}},
                                  {2, 1, {2, 3}, {-1}}};

float logit(Activation activation) {
  const std::vector<std::uint8_t> image{255, 0, 255};
  return forward({kLayers, activation}, image).at(0);
}

TEST(Forward, AppliesLayersAndActivations) {
  // The hidden layer before its activation: 1 + 0.5 + 0.5 = 2 and -1 + 0.25 = -0.75.
  EXPECT_FLOAT_EQ(logit(Activation::kRelu), 2 * 2 - 1);
  EXPECT_FLOAT_EQ(logit(Activation::kIdentity), 2 * 2 - 3 * 0.75F - 1);
  EXPECT_FLOAT_EQ(logit(Activation::kTanh), 2 * std::tanh(2.0F) + 3 * std::tanh(-0.75F) - 1);
  EXPECT_FLOAT_EQ(logit(Activation::kSigmoid),
                  2 / (1 + std::exp(-2.0F)) + 3 / (1 + std::exp(0.75F)) - 1);
}

TEST(Forward, SumsEveryInputOfALongRow) {
  std::vector<float> weights(19);
  std::iota(weights.begin(), weights.end(), 1.0F);
  const Mlp linear{{{19, 1, weights, {0}}}};
  const std::vector<std::uint8_t> white(19, 255);
  EXPECT_FLOAT_EQ(forward(linear, white).at(0), 190);
}

TEST(Forward, ScalesPixelsTo0To1) {
  const Mlp identity{{{3, 3, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 0}}}};
  const std::vector<std::uint8_t> image{0, 51, 255};
  EXPECT_EQ(forward(identity, image), (std::vector<float>{0, 0.2F, 1}));
}

TEST(Softmax, DoesNotOverflowForLargeLogits) {
  const std::vector<float> logits{1000, 1000, 0};
  const std::vector<float> probabilities = softmax(logits);
  EXPECT_FLOAT_EQ(probabilities[0], 0.5F);
  EXPECT_FLOAT_EQ(probabilities[1], 0.5F);
  EXPECT_FLOAT_EQ(probabilities[2], 0);
}

}  // namespace
}  // namespace mnist
