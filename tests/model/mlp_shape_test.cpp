// Network shapes, parameter tables, initialization, and normalization of state dicts.
#include "mnist/model/mlp_shape.hpp"

#include <algorithm>
#include <cmath>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

NamedTensor tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return {name, shape, std::vector<float>(static_cast<std::size_t>(count), 1.0F)};
}

std::vector<std::string> names_of(const StateDict& state) {
  std::vector<std::string> names;
  for (const NamedTensor& t : state) names.push_back(t.name);
  return names;
}

TEST(MlpShape, CountsTheParametersOfTheDefaultNetwork) {
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

TEST(InitialParameters, AreUniformWithinPyTorchBoundsByDefault) {
  const MlpShape shape;
  const StateDict state = initial_parameters(shape, 0);
  ASSERT_EQ(state.size(), 6U);
  const std::vector<double> inputs{784, 784, 256, 256, 128, 128};
  for (std::size_t i = 0; i < state.size(); ++i) {
    const double bound = 1 / std::sqrt(inputs[i]);
    double squares = 0;
    for (const float value : state[i].values) {
      ASSERT_LE(std::abs(value), bound);
      squares += static_cast<double>(value) * value;
    }
    if (state[i].values.size() > 1000) {  // the variance of a uniform distribution is bound^2 / 3
      EXPECT_NEAR(squares / static_cast<double>(state[i].values.size()), bound * bound / 3,
                  0.05 * bound * bound);
    }
  }
  EXPECT_EQ(initial_parameters(shape, 0)[2].values, state[2].values);
  EXPECT_NE(initial_parameters(shape, 1)[2].values, state[2].values);
}

TEST(InitialParameters, AreNormalWithVarianceTwoOverInputsForHe) {
  const MlpShape shape;
  const StateDict state = initial_parameters(shape, 0, Initialisation::kHe);
  for (std::size_t layer = 0; layer < state.size(); layer += 2) {
    const auto inputs = static_cast<double>(state[layer].shape[1]);
    double sum = 0, squares = 0, fourths = 0;
    for (const float weight : state[layer].values) {
      const double value = static_cast<double>(weight) / std::sqrt(2 / inputs);
      sum += value;
      squares += value * value;
      fourths += value * value * value * value;
    }
    const auto count = static_cast<double>(state[layer].values.size());
    const double error = 5 / std::sqrt(count);
    EXPECT_NEAR(sum / count, 0, error);
    EXPECT_NEAR(squares / count, 1, 2 * error);
    EXPECT_NEAR(fourths / count, 3, 10 * error) << "kurtosis of a normal distribution";
    for (const float bias : state[layer + 1].values) EXPECT_EQ(bias, 0.0F);
  }
}

TEST(NormaliseStateDict, AcceptsOtherNamesAndOrders) {
  const std::vector<std::string> ours{"0.weight", "0.bias", "2.weight", "2.bias"};
  const std::vector<StateDict> states{
      {tensor("0.weight", {3, 4}), tensor("0.bias", {3}), tensor("2.weight", {2, 3}),
       tensor("2.bias", {2})},
      {tensor("module.net.1.bias", {3}), tensor("module.net.1.weight", {3, 4}),
       tensor("module.net.3.weight", {2, 3}), tensor("module.net.3.bias", {2})},
      {tensor("fc10.bias", {2}), tensor("fc10.weight", {2, 3}), tensor("fc2.bias", {3}),
       tensor("fc2.weight", {3, 4})},
      {tensor("first.weight", {3, 4}), tensor("first.bias", {3}), tensor("head.weight", {2, 3}),
       tensor("head.bias", {2})},
  };
  for (const StateDict& state : states) {
    const StateDict normal = normalise_state_dict(state, "file");
    EXPECT_EQ(names_of(normal), ours);
    EXPECT_EQ(shape_of(normal, Activation::kTanh), (MlpShape{4, {3}, 2, Activation::kTanh}));
  }
}

TEST(NormaliseStateDict, RejectsOtherNetworks) {
  const auto refused = [](const StateDict& state, std::string_view words) {
    expect_throws<Error>([&] { normalise_state_dict(state, "file"); }, words);
  };
  refused({}, "file: holds no tensors");
  refused({tensor("0.weight", {3, 4})}, "has no tensor '0.bias'");
  refused({tensor("0.bias", {3})}, "has no tensor '0.weight'");
  refused({tensor("0.weight", {3, 4}), tensor("0.bias", {2})}, "[3, 4] and 0.bias [2] differ");
  refused({tensor("0.weight", {3, 4}), tensor("0.bias", {3}), tensor("4.weight", {2, 5}),
           tensor("4.bias", {2})},
          "4.weight [2, 5] does not fit behind 0.weight [3, 4]");
  refused({tensor("conv.weight", {8, 1, 3, 3}), tensor("conv.bias", {8})},
          "'conv.weight' of shape [8, 1, 3, 3] does not belong");
  refused({tensor("0.running_mean", {3})}, "'0.running_mean' of shape [3] does not belong");
  refused({tensor("0.weight", {3, 4}), tensor("0.weight", {3, 4})}, "twice");
  refused({tensor("0.weight", {0, 4}), tensor("0.bias", {0})}, "is empty");
}

}  // namespace
}  // namespace mnist
