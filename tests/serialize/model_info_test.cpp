// Model metadata, read back, missing and malformed.
#include "serialize/model_info.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

Model small_model() {
  const MlpShape shape{4, {3}, 2, Activation::kTanh};
  return {shape, initial_parameters(shape, 0), {"cat", "dog"}, {{"options", {{"lr", 0.5}}}}};
}

TEST(ModelInfo, RoundTrips) {
  const Model model = small_model();
  const Model read = make_model(model.parameters, info_text(model), "file");
  EXPECT_EQ(read.shape, model.shape);
  EXPECT_EQ(read.class_names, model.class_names);
  EXPECT_EQ(read.training, model.training);
}

TEST(ModelInfo, DefaultsWithoutMetadata) {
  const Model read = make_model(small_model().parameters, "", "file");
  EXPECT_EQ(read.shape.activation, Activation::kRelu);
  EXPECT_EQ(read.class_names, (std::vector<std::string>{"0", "1"}));
}

TEST(ModelInfo, RefusesInconsistentOrMalformedMetadata) {
  const Model model = small_model();
  const auto refused = [&](const std::function<void(nlohmann::ordered_json&)>& change,
                           std::string_view words) {
    auto json = nlohmann::ordered_json::parse(info_text(model));
    change(json);
    expect_throws<Error>([&] { make_model(model.parameters, json.dump(), "file"); }, words);
  };
  refused([](auto& json) { json["shape"]["hidden"] = {5}; },
          "file: says that the network is 4-5-2 (tanh), but the tensors are those of 4-3-2 (tanh)");
  refused([](auto& json) { json["class_names"] = {"cat"}; },
          "names 1 classes, but the network has 2");
  refused([](auto& json) { json["activation"] = "gelu"; }, "expected relu");
  refused([](auto& json) { json["format"] = 2; }, "has format 2, this program knows up to 1");
  refused([](auto& json) { json.erase("shape"); }, "damaged");
  refused([](auto& json) { json["class_names"] = 7; }, "damaged");
  expect_throws<Error>([&] { make_model(model.parameters, "{", "file"); }, "damaged");
}

TEST(ModelInfo, WritesClassNamesOfAnyBytes) {
  Model model = small_model();
  model.class_names[0] = "\xff\xfe";
  EXPECT_EQ(make_model(model.parameters, info_text(model), "file").class_names.size(), 2U);
}

}  // namespace
}  // namespace mnist
