// Model files in both formats; Python's side of it is in the interoperation tests.
#include "serialize/model_writer.hpp"

#include <torch/torch.h>

#include "mnist/support/error.hpp"
#include "model/sequential.hpp"
#include "serialize/model_reader.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

Model model_of(const MlpShape& shape) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < shape.classes; ++i) names.push_back("class " + std::to_string(i));
  return {shape, initial_parameters(shape, 0), names, {{"test_accuracy", 0.5}}};
}

class ModelFile : public ::testing::TestWithParam<const char*> {
 protected:
  std::string path(const std::string& stem = "model") { return folder_ / (stem + GetParam()); }
  TemporaryFolder folder_;
};

TEST_P(ModelFile, ComesBackExactly) {
  for (const MlpShape& shape : {MlpShape{}, MlpShape{7, {}, 2, Activation::kRelu},
                                MlpShape{5, {4, 3, 2}, 6, Activation::kSigmoid}}) {
    const Model model = model_of(shape);
    save_model(path(), model);
    const Model read = load_model(path());
    EXPECT_EQ(read.shape, shape);
    EXPECT_EQ(read.class_names, model.class_names);
    EXPECT_EQ(read.training, model.training);
    ASSERT_EQ(read.parameters.size(), model.parameters.size());
    for (std::size_t i = 0; i < read.parameters.size(); ++i) {
      EXPECT_EQ(read.parameters[i].name, model.parameters[i].name);
      EXPECT_EQ(read.parameters[i].values, model.parameters[i].values);
    }
  }
}

TEST_P(ModelFile, SameModelSameBytes) {
  save_model(path("one"), model_of({}));
  save_model(path("two"), model_of({}));
  EXPECT_EQ(read_text(path("one")), read_text(path("two")));
}

TEST_P(ModelFile, RefusesEveryTruncation) {
  save_model(path(), model_of({3, {2}, 2, Activation::kRelu}));
  const std::string whole = read_text(path());
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    write_bytes(path(), to_bytes(std::string_view(whole).substr(0, size)));
    EXPECT_THROW(load_model(path()), Error) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, ModelFile, ::testing::Values(".pt", ".safetensors"),
                         [](const auto& suffix) { return std::string(suffix.param).substr(1); });

TEST(LoadModel, NamesWhatItCannotRead) {
  const TemporaryFolder folder;
  expect_throws<Error>([&] { load_model(folder / "none.pt"); }, "none.pt: cannot be opened");
  write_bytes(folder / "old.pt", to_bytes("\x80\x02\x8a\x0a"));
  expect_throws<Error>([&] { load_model(folder / "old.pt"); }, "old form");
  torch::nn::Linear layer(2, 2);
  torch::save(layer, folder / "script.pt");
  expect_throws<Error>([&] { load_model(folder / "script.pt"); }, "TorchScript");
}

TEST(Mlp, ParametersGoInAndComeOut) {
  const MlpShape shape{6, {5, 4}, 3, Activation::kIdentity};
  const StateDict state = initial_parameters(shape, 0);
  torch::nn::Sequential network = make_mlp(shape, state, torch::kCPU);
  const StateDict read = parameters_of(network);
  ASSERT_EQ(read.size(), state.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name, state[i].name);
    EXPECT_EQ(read[i].shape, state[i].shape);
    EXPECT_EQ(read[i].values, state[i].values);
  }
  EXPECT_EQ(network->forward(torch::zeros({2, 6})).sizes(), torch::IntArrayRef({2, 3}));
  expect_throws<Error>([&] { make_mlp({6, {5, 9}, 3, Activation::kRelu}, state, torch::kCPU); },
                       "does not belong to the network 6-5-9-3 (relu)");
}

}  // namespace
}  // namespace mnist
