// Evaluation without LibTorch.
#include "evaluate/plain_evaluator.hpp"

#include <gtest/gtest.h>

#include "evaluate/evaluate_test_support.hpp"

namespace mnist {
namespace {

TEST(PlainEvaluator, ComputesAccuracyLossAndConfidence) {
  const ConstantNetwork network;
  const Evaluation evaluation = evaluate_plainly(network.shape, network.parameters, test_set());
  EXPECT_EQ(evaluation.examples(), 1000);
  EXPECT_EQ(evaluation.correct(), examples_of_class(3));
  EXPECT_NEAR(evaluation.loss, network.mean_loss(), 1e-6);
  EXPECT_NEAR(evaluation.predictions[0].confidence, std::exp(2 - network.log_sum_exp()), 1e-6);
}

}  // namespace
}  // namespace mnist
