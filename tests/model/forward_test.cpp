// The forward pass in plain C++; evaluate/device_evaluator_test compares it with LibTorch's.
#include "model/forward.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace mnist {
namespace {

/// Two inputs, two hidden units, one class; small enough to work out by hand.
const std::vector<Linear> kLayers{{2, 2, {1, 2, -1, 1}, {0.5F, 0}}, {2, 1, {2, 3}, {-1}}};

float logit(Activation activation) {
  const std::vector<float> inputs{1, 0.25F};
  return forward({kLayers, activation}, inputs).at(0);
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
  const std::vector<float> ones(19, 1.0F);
  EXPECT_FLOAT_EQ(forward(linear, ones).at(0), 190);
}

TEST(ScaledPixels, AreFrom0To1) {
  const std::vector<std::uint8_t> pixels{0, 51, 255};
  EXPECT_EQ(scaled_pixels(pixels), (std::vector<float>{0, 0.2F, 1}));
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
