// Shapes, parameter tables, initialization, flattening.
#include "mnist/model/mlp.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(MlpShape, CountsTheGuidesParameters) {
  const MlpShape shape;
  EXPECT_EQ(parameter_count(shape), 235'146);
  const auto table = parameter_table(shape);
  ASSERT_EQ(table.size(), 6U);
  EXPECT_EQ(table[0].name, "0.weight");
  EXPECT_EQ(table[0].shape, (std::vector<std::int64_t>{256, 784}));
  EXPECT_EQ(table[0].count + table[1].count, 200'960);
  EXPECT_EQ(table[2].count + table[3].count, 32'896);
  EXPECT_EQ(table[4].count + table[5].count, 1'290);
  EXPECT_EQ(to_string(shape), "784-256-128-10 (relu)");
  EXPECT_EQ(to_string(MlpShape{4, {}, 2, Activation::kRelu}), "4-2");
}

TEST(InitialParameters, AreUniformWithinPyTorchsBounds) {
  const MlpShape shape;
  const Mlp mlp = initial_parameters(shape, 0);
  ASSERT_EQ(mlp.layers.size(), 3U);
  for (const Linear& layer : mlp.layers) {
    const double bound = 1 / std::sqrt(static_cast<double>(layer.inputs));
    double squares = 0;
    for (const float weight : layer.weight) {
      ASSERT_LE(std::abs(weight), bound);
      squares += static_cast<double>(weight) * weight;
    }
    const auto count = static_cast<double>(layer.weight.size());
    EXPECT_NEAR(squares / count, bound * bound / 3, 0.05 * bound * bound) << "uniform variance";
    for (const float bias : layer.bias) ASSERT_LE(std::abs(bias), bound);
    EXPECT_NE(layer.bias.front(), layer.weight.front());
  }
  EXPECT_TRUE(initial_parameters(shape, 0) == mlp);
  EXPECT_FALSE(initial_parameters(shape, 1) == mlp);
}

TEST(InitialParameters, EachParameterHasRandomNumbersOfItsOwn) {
  // Divided by their bounds, equal random numbers would give equal values.
  const Mlp mlp = initial_parameters({9, {9, 9, 9}, 9, Activation::kRelu}, 0);
  std::set<float> firsts;
  for (const Linear& layer : mlp.layers) {
    firsts.insert(layer.weight.front());
    firsts.insert(layer.bias.front());
  }
  EXPECT_EQ(firsts.size(), 8U);
}

TEST(InitialParameters, HesAreNormalWithTheirVariance) {
  const MlpShape shape;
  const Mlp mlp = initial_parameters(shape, 0, Initialization::kHe);
  for (const Linear& layer : mlp.layers) {
    const auto inputs = static_cast<double>(layer.inputs);
    double sum = 0, squares = 0, fourths = 0;
    for (const float weight : layer.weight) {
      const double value = static_cast<double>(weight) / std::sqrt(2 / inputs);
      sum += value;
      squares += value * value;
      fourths += value * value * value * value;
    }
    const auto count = static_cast<double>(layer.weight.size());
    const double error = 5 / std::sqrt(count);
    EXPECT_NEAR(sum / count, 0, error);
    EXPECT_NEAR(squares / count, 1, 2 * error);
    EXPECT_NEAR(fourths / count, 3, 10 * error) << "as normal numbers have it";
    for (const float bias : layer.bias) EXPECT_EQ(bias, 0.0F);
  }
}

TEST(MlpShape, OnlySquareNumbersOfInputsAreImages) {
  EXPECT_EQ(image_side({784, {}, 10, Activation::kRelu}, "m"), 28);
  EXPECT_EQ(image_side({1, {}, 10, Activation::kRelu}, "m"), 1);
  for (const std::int64_t inputs : {2, 783, 785}) {
    expect_throws<Error>([&] { image_side({inputs, {}, 10, Activation::kRelu}, "m"); },
                         "m: the network takes " + std::to_string(inputs) + " inputs");
  }
}

TEST(Flatten, HasWeightThenBiasOfEachLayer) {
  Mlp mlp = zero_mlp({2, {1}, 2, Activation::kTanh});
  mlp.layers[0] = {2, 1, {1, 2}, {3}};
  mlp.layers[1] = {1, 2, {4, 5}, {6, 7}};
  const std::vector<float> values{1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(flatten(mlp), values);
  EXPECT_TRUE(unflatten(mlp.shape(), values) == mlp);
}

}  // namespace
}  // namespace mnist
