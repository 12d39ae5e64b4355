// Running a network over a set.
#include "mnist/evaluate/evaluator.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "evaluate/plain_evaluator.hpp"
#include "mnist_subset.hpp"

namespace mnist {
namespace {

const Dataset& test_set() {
  static const Dataset set = mnist_subset(Split::kTest);
  return set;
}

TEST(Evaluator, CountsEveryExampleOnce) {
  const MlpShape shape;
  const Evaluation evaluation = evaluate(shape, initial_parameters(shape, 0), test_set(), "cpu");
  EXPECT_EQ(evaluation.examples(), 1000);
  EXPECT_NEAR(evaluation.loss, std::log(10), 0.05);
  for (std::size_t truth = 0; truth < 10; ++truth) {
    std::int64_t row = 0;
    for (std::size_t guess = 0; guess < 10; ++guess) row += evaluation.count(truth, guess);
    EXPECT_EQ(row, std::count(test_set().labels.begin(), test_set().labels.end(), truth));
  }
}

TEST(Evaluator, RowsAreTrueClassesAndLossIsTheMean) {
  // Logits are the biases whatever is shown: always class 3, at a known loss.
  const MlpShape shape{784, {}, 10, Activation::kRelu};
  StateDict parameters = initial_parameters(shape, 0);
  for (NamedTensor& tensor : parameters) tensor.values.assign(tensor.values.size(), 0.0F);
  parameters[1].values[3] = 2.0F;
  const Evaluation evaluation = evaluate(shape, parameters, test_set(), "cpu");
  const auto threes = std::count(test_set().labels.begin(), test_set().labels.end(), 3);
  EXPECT_EQ(evaluation.correct(), threes);
  EXPECT_EQ(evaluation.count(7, 3),
            std::count(test_set().labels.begin(), test_set().labels.end(), 7));
  EXPECT_EQ(evaluation.count(3, 7), 0);
  const double log_sum = std::log(9 + std::exp(2.0));
  EXPECT_NEAR(evaluation.loss, log_sum - 2.0 * static_cast<double>(threes) / 1000, 1e-6);
}

TEST(Evaluator, AgreesWithThePlainOne) {
  for (const Activation activation :
       {Activation::kRelu, Activation::kTanh, Activation::kSigmoid, Activation::kIdentity}) {
    const MlpShape shape{784, {32, 16}, 10, activation};
    const StateDict parameters = initial_parameters(shape, 3);
    const Evaluation fast = evaluate(shape, parameters, test_set(), "cpu");
    const Evaluation plain = evaluate_plainly(shape, parameters, test_set());
    EXPECT_NEAR(fast.loss, plain.loss, 1e-5);
    for (std::size_t i = 0; i < fast.predictions.size(); ++i) {
      EXPECT_NEAR(fast.predictions[i].confidence, plain.predictions[i].confidence, 1e-5) << i;
      EXPECT_EQ(fast.predictions[i].truth, plain.predictions[i].truth) << i;
    }
  }
}

}  // namespace
}  // namespace mnist
