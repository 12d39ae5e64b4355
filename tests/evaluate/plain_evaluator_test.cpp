// What an evaluation without LibTorch says, and which data a network fits.
#include "mnist/evaluate/plain_evaluator.hpp"

#include <algorithm>
#include <cmath>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

const Dataset& test_set() {
  static const Dataset set =
      load_dataset(std::string(MNIST_SOURCE_DIR) + "/data/mnist-subset", Split::kTest);
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

TEST(PlainEvaluator, RefusesModelsOfOtherShapes) {
  expect_throws<Error>(
      [] { check_fits({100, {5}, 10, Activation::kRelu}, test_set(), "m.pt", "data/mnist"); },
      "m.pt: the network is 100-5-10 (relu), but the data in data/mnist need 784 inputs (28x28 "
      "pixels) and 10 classes");
  expect_throws<Error>([] { check_fits({784, {}, 47, Activation::kRelu}, test_set(), "m", "d"); },
                       "784-47");
}

}  // namespace
}  // namespace mnist
