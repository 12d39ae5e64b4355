// Evaluation with LibTorch.
#include <cmath>

#include <gtest/gtest.h>

#include "evaluate/evaluate_test_support.hpp"
#include "mnist/evaluate/evaluate.hpp"

namespace mnist {
namespace {

TEST(DeviceEvaluator, CountsEveryExampleOnce) {
  const MlpShape shape;
  const Evaluation evaluation = device_evaluator(test_set(), "cpu")(initial_parameters(shape, 0));
  EXPECT_EQ(evaluation.examples(), 1000);
  EXPECT_NEAR(evaluation.loss, std::log(10), 0.05);
  for (std::size_t truth = 0; truth < 10; ++truth) {
    std::int64_t row = 0;
    for (std::size_t predicted = 0; predicted < 10; ++predicted)
      row += evaluation.count(truth, predicted);
    EXPECT_EQ(row, examples_of_class(static_cast<std::uint8_t>(truth)));
  }
}

TEST(DeviceEvaluator, RowsAreTrueClassesAndLossIsTheMean) {
  const ConstantNetwork network;
  const Evaluation evaluation = device_evaluator(test_set(), "cpu")(network.mlp);
  EXPECT_EQ(evaluation.correct(), examples_of_class(3));
  EXPECT_EQ(evaluation.count(7, 3), examples_of_class(7));
  EXPECT_EQ(evaluation.count(3, 7), 0);
  EXPECT_NEAR(evaluation.loss, network.mean_loss(), 1e-6);
}

TEST(DeviceEvaluator, AgreesWithPlainCpp) {
  for (const Activation activation :
       {Activation::kRelu, Activation::kTanh, Activation::kSigmoid, Activation::kIdentity}) {
    const MlpShape shape{784, {32, 16}, 10, activation};
    const Mlp mlp = initial_parameters(shape, 3);
    const Evaluation fast = device_evaluator(test_set(), "cpu")(mlp);
    const Evaluation plain = evaluate(mlp, test_set());
    EXPECT_NEAR(fast.loss, plain.loss, 1e-5);
    for (std::size_t i = 0; i < fast.predictions.size(); ++i) {
      EXPECT_NEAR(fast.predictions[i].confidence, plain.predictions[i].confidence, 1e-5) << i;
      EXPECT_EQ(fast.predictions[i].truth, plain.predictions[i].truth) << i;
    }
  }
}

}  // namespace
}  // namespace mnist
