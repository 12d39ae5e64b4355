// Model files in both formats; Python's side of it is in the interoperation tests.
#include <torch/torch.h>

#include "mnist/serialize/model_file.hpp"
#include "mnist/support/error.hpp"
#include "model/sequential.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

Model model_of(const MlpShape& shape) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < shape.classes; ++i) names.push_back("class " + std::to_string(i));
  return {initial_parameters(shape, 0), names, {{"test_accuracy", 0.5}}};
}

class ModelFile : public ::testing::TestWithParam<const char*> {
 protected:
  std::string path(const std::string& stem = "model") { return folder_ / (stem + GetParam()); }
  TemporaryDirectory folder_;
};

TEST_P(ModelFile, ComesBackExactly) {
  for (const MlpShape& shape : {MlpShape{}, MlpShape{7, {}, 2, Activation::kRelu},
                                MlpShape{5, {4, 3, 2}, 6, Activation::kSigmoid}}) {
    const Model model = model_of(shape);
    write_model(path(), model);
    const Model read = read_model(path());
    EXPECT_TRUE(read.mlp == model.mlp);
    EXPECT_EQ(read.class_names, model.class_names);
    EXPECT_EQ(read.training, model.training);
  }
}

TEST_P(ModelFile, SameModelSameBytes) {
  write_model(path("one"), model_of({}));
  write_model(path("two"), model_of({}));
  EXPECT_EQ(read_text(path("one")), read_text(path("two")));
}

TEST_P(ModelFile, RefusesEveryTruncation) {
  write_model(path(), model_of({3, {2}, 2, Activation::kRelu}));
  const std::string whole = read_text(path());
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    write_bytes(path(), to_bytes(std::string_view(whole).substr(0, size)));
    EXPECT_THROW(read_model(path()), Error) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, ModelFile, ::testing::Values(".pt", ".safetensors"),
                         [](const auto& suffix) { return std::string(suffix.param).substr(1); });

TEST(LoadModel, NamesWhatItCannotRead) {
  const TemporaryDirectory folder;
  expect_throws<Error>([&] { read_model(folder / "none.pt"); }, "none.pt: cannot be opened");
  write_bytes(folder / "old.pt", to_bytes("\x80\x02\x8a\x0a"));
  expect_throws<Error>([&] { read_model(folder / "old.pt"); }, "before PyTorch 1.6");
  torch::nn::Linear layer(2, 2);
  torch::save(layer, folder / "script.pt");
  expect_throws<Error>([&] { read_model(folder / "script.pt"); }, "TorchScript");
}

TEST(Sequential, TakesAndGivesParameters) {
  const Mlp mlp = initial_parameters({6, {5, 4}, 3, Activation::kIdentity}, 0);
  torch::nn::Sequential network = make_sequential(mlp, torch::kCPU);
  EXPECT_TRUE(to_mlp(mlp.shape(), network->parameters()) == mlp);
  const auto names = network->named_parameters().keys();
  EXPECT_EQ(names, (std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias", "4.weight",
                                             "4.bias"}));
  EXPECT_EQ(network->forward(torch::zeros({2, 6})).sizes(), torch::IntArrayRef({2, 3}));
}

}  // namespace
}  // namespace mnist
