// What an evaluation without LibTorch says.
#include "evaluate/plain_evaluator.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "mnist_subset.hpp"

namespace mnist {
namespace {

const Dataset& test_set() {
  static const Dataset set = mnist_subset(Split::kTest);
  return set;
}

TEST(PlainEvaluator, AnswersWithTheBiasesWhenWeightsAreZero) {
  const MlpShape shape{784, {}, 10, Activation::kRelu};
  StateDict parameters = initial_parameters(shape, 0);
  for (NamedTensor& tensor : parameters) tensor.values.assign(tensor.values.size(), 0.0F);
  parameters[1].values[3] = 2.0F;
  const Evaluation evaluation = evaluate_plainly(shape, parameters, test_set());
  const auto threes = std::count(test_set().labels.begin(), test_set().labels.end(), 3);
  EXPECT_EQ(evaluation.examples(), 1000);
  EXPECT_EQ(evaluation.correct(), threes);
  const double log_sum = std::log(9 + std::exp(2.0));
  EXPECT_NEAR(evaluation.loss, log_sum - 2.0 * static_cast<double>(threes) / 1000, 1e-6);
  EXPECT_NEAR(evaluation.predictions[0].confidence, std::exp(2 - log_sum), 1e-6);
}

}  // namespace
}  // namespace mnist
