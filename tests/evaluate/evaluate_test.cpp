// Evaluation without LibTorch, and networks that do not fit a dataset.
#include "mnist/evaluate/evaluate.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "evaluate/evaluate_test_support.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(Evaluate, PredictsTheBiasesWhenWeightsAreZero) {
  const ConstantNetwork network;
  const Evaluation evaluation = evaluate(network.mlp, test_set());
  EXPECT_EQ(evaluation.examples(), 1000);
  EXPECT_EQ(evaluation.correct(), examples_of_class(3));
  EXPECT_NEAR(evaluation.loss, network.mean_loss(), 1e-6);
  EXPECT_NEAR(evaluation.predictions[0].confidence, std::exp(2 - network.log_sum_exp()), 1e-6);
}

TEST(CheckFits, RefusesNetworksOfOtherShapes) {
  expect_throws<Error>(
      [] { check_fits({100, {5}, 10, Activation::kRelu}, test_set(), "m.pt", "data/mnist"); },
      "m.pt: the network is 100-5-10 (relu), but the data in data/mnist needs 784 inputs (28x28 "
      "pixels) and 10 classes");
  expect_throws<Error>([] { check_fits({784, {}, 47, Activation::kRelu}, test_set(), "m", "d"); },
                       "784-47");
}

}  // namespace
}  // namespace mnist
