// The metadata of a model file.
#include "mnist/support/error.hpp"
#include "serialize/formats.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

Model small_model() {
  const MlpShape shape{4, {3}, 2, Activation::kTanh};
  return {initial_parameters(shape, 0), {"cat", "dog"}, {{"options", {{"lr", 0.5}}}}};
}

TEST(ModelInfo, RoundTrips) {
  const Model model = small_model();
  const Model read = make_model({to_state_dict(model.mlp), info_text(model)});
  EXPECT_TRUE(read.mlp == model.mlp);
  EXPECT_EQ(read.class_names, model.class_names);
  EXPECT_EQ(read.training, model.training);
}

TEST(ModelInfo, ModelsOfOtherProgramsGetDefaults) {
  const Model read = make_model({to_state_dict(small_model().mlp), ""});
  EXPECT_EQ(read.mlp.activation, Activation::kRelu);
  EXPECT_EQ(read.class_names, (std::vector<std::string>{"0", "1"}));
}

TEST(ModelInfo, RefusesDamagedOrContradictoryMetadata) {
  const Model model = small_model();
  const auto refused = [&](const std::function<void(nlohmann::ordered_json&)>& change,
                           std::string_view words) {
    auto json = nlohmann::ordered_json::parse(info_text(model));
    change(json);
    expect_throws<Error>([&] { make_model({to_state_dict(model.mlp), json.dump()}); }, words);
  };
  refused([](auto& json) { json["shape"]["hidden"] = {5}; },
          "its metadata describes the network 4-5-2 (tanh), but its tensors are those of 4-3-2 "
          "(tanh)");
  refused([](auto& json) { json["class_names"] = {"cat"}; },
          "its metadata names 1 classes, but the network has 2");
  refused([](auto& json) { json["activation"] = "gelu"; }, "expected relu");
  refused([](auto& json) { json["format"] = 2; },
          "has format 2, but this program reads formats up to 1");
  refused([](auto& json) { json.erase("shape"); }, "damaged");
  refused([](auto& json) { json["class_names"] = 7; }, "damaged");
  expect_throws<Error>([&] { make_model({to_state_dict(model.mlp), "{"}); }, "damaged");
}

TEST(ModelInfo, WritesClassNamesOfAnyBytes) {
  Model model = small_model();
  model.class_names[0] = "\xff\xfe";
  EXPECT_EQ(make_model({to_state_dict(model.mlp), info_text(model)}).class_names.size(), 2U);
}

}  // namespace
}  // namespace mnist
