// Rejects models that do not fit the data.
#include "evaluate/check_fits.hpp"

#include "mnist/support/error.hpp"
#include "mnist_subset.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

const Dataset kSet = mnist_subset(Split::kTest);

TEST(CheckFits, RejectsModelsOfOtherShapes) {
  expect_throws<Error>(
      [] { check_fits({100, {5}, 10, Activation::kRelu}, kSet, "m.pt", "data/mnist"); },
      "m.pt: the network is 100-5-10 (relu), but the data in data/mnist need 784 inputs (28x28 "
      "pixels) and 10 classes");
  expect_throws<Error>([] { check_fits({784, {}, 47, Activation::kRelu}, kSet, "m", "d"); },
                       "784-47");
}

}  // namespace
}  // namespace mnist
