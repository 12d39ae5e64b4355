// State dicts of any program as networks.
#include "serialize/state_dict.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

NamedTensor tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return {name, shape, std::vector<float>(static_cast<std::size_t>(count), 1.0F)};
}

TEST(StateDict, NamesParametersAsNnSequentialDoes) {
  const Mlp mlp = initial_parameters({4, {3}, 2, Activation::kRelu}, 0);
  const StateDict state = to_state_dict(mlp);
  const std::vector<ParameterInfo> table = parameter_table(mlp.shape());
  ASSERT_EQ(state.size(), table.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    EXPECT_EQ(state[i].name, table[i].name);
    EXPECT_EQ(state[i].shape, table[i].shape);
  }
  EXPECT_TRUE(to_mlp(state, Activation::kRelu, "") == mlp);
}

TEST(ToMlp, AcceptsAnyNamesAndOrder) {
  const std::vector<StateDict> inputs{
      {tensor("0.weight", {3, 4}), tensor("0.bias", {3}), tensor("2.weight", {2, 3}),
       tensor("2.bias", {2})},
      {tensor("module.net.1.bias", {3}), tensor("module.net.1.weight", {3, 4}),
       tensor("module.net.3.weight", {2, 3}), tensor("module.net.3.bias", {2})},
      {tensor("fc10.bias", {2}), tensor("fc10.weight", {2, 3}), tensor("fc2.bias", {3}),
       tensor("fc2.weight", {3, 4})},
      {tensor("first.weight", {3, 4}), tensor("first.bias", {3}), tensor("head.weight", {2, 3}),
       tensor("head.bias", {2})},
  };
  for (const StateDict& state : inputs) {
    const Mlp mlp = to_mlp(state, Activation::kTanh, "file");
    EXPECT_EQ(mlp.shape(), (MlpShape{4, {3}, 2, Activation::kTanh}));
  }
}

TEST(ToMlp, RefusesOtherNetworks) {
  const auto refused = [](const StateDict& state, std::string_view words) {
    expect_throws<Error>([&] { to_mlp(state, Activation::kRelu, "file"); }, words);
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
