// Numbers that must never change, or else a seed would give a different result, or a file could no
// longer be read. tests/goldens/independent.py computes goldens.json without this project's code.
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include "augment/augmenter.hpp"
#include "engine/cpu/scalar_engine.hpp"
#include "engine/dropout.hpp"
#include "engine/engine_test_support.hpp"
#include "mnist/serialize/model_file.hpp"
#include "mnist/train/schedule.hpp"
#include "options/toml.hpp"
#include "test_support.hpp"
#include "train/checkpoint.hpp"

namespace mnist {
namespace {

constexpr const char* kFolder = MNIST_SOURCE_DIR "/tests/goldens/";

const nlohmann::json& goldens() {
  static const nlohmann::json json =
      nlohmann::json::parse(std::ifstream(std::string(kFolder) + "goldens.json"));
  return json;
}

template <class Value>
std::uint32_t crc32_of(const std::vector<Value>& values) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(values.data()), values.size() * sizeof(Value)));
}

TEST(Goldens, InitialWeightsOfSeed0) {
  EXPECT_EQ(crc32_of(flatten(initial_parameters({}, 0))), goldens()["initial weights"]);
  EXPECT_EQ(crc32_of(flatten(initial_parameters({}, 0, Initialization::kHe))),
            goldens()["initial weights of he"]);
}

TEST(Goldens, FirstPermutationAndValidationSplit) {
  EXPECT_EQ(crc32_of(shuffled(first_indices(60'000), 0, 1)), goldens()["permutation"]);
  EXPECT_EQ(crc32_of(split_indices(60'000, 5'000, 0).validation), goldens()["validation"]);
}

TEST(Goldens, DropoutMasks) {
  const Dropout dropout(0.3, 0, 1);
  std::vector<std::uint32_t> masks;
  for (const std::int64_t step : {1, 2}) {
    for (const std::size_t tile : {0U, 1U}) {
      for (std::size_t unit = 0; unit < 100; ++unit)
        masks.push_back(dropout.keep(step, tile, unit));
    }
  }
  EXPECT_EQ(crc32_of(masks), goldens()["dropout masks"]);
}

/// The digits are chosen so that rounding does not depend on the instruction set.
TEST(Goldens, DistortedDigits) {
  const Dataset& set = training_set();
  for (const nlohmann::json& golden : goldens()["distorted digits"]) {
    std::string text;
    for (const auto& [name, value] : golden["options"].items()) {
      text += name + " = " + value.dump() + "\n";
    }
    TrainOptions options;
    read_toml(text, "goldens.json", options);
    const auto index = golden["index"].get<std::int64_t>();
    std::vector<std::uint8_t> distorted(static_cast<std::size_t>(set.pixels()));
    Augmenter augment(options.augment, set.rows, set.columns, 0);
    constexpr std::int64_t kEpoch = 1;
    augment(set.images.data() + index * set.pixels(), kEpoch, index, distorted.data(),
            augment_strength(options, kEpoch));
    EXPECT_EQ(crc32_of(distorted), golden["crc32"]) << text;
  }
}

/// No CRC, because the last bits of std::exp and std::log depend on the C library.
TEST(Goldens, TwentyStepsOfTheScalarEngine) {
  TrainOptions options = everything();
  options.augment = {};
  ScalarEngine engine(initial_parameters({784, {16, 12}, 10, Activation::kRelu}, 0), training_set(),
                      options);
  const std::vector<float> losses = train(engine, first_indices(640), 32).losses;
  const nlohmann::json& golden = goldens()["training"];
  ASSERT_EQ(losses.size(), golden["losses"].size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(losses[i], golden["losses"][i].get<double>(), 1e-5) << "step " << i;
  }
  const Mlp averages = engine.parameters();
  std::size_t next = 0;
  for (const Linear& layer : averages.layers) {
    for (const std::vector<float>* values : {&layer.weight, &layer.bias}) {
      double squares = 0;
      for (const float value : *values) squares += std::pow(static_cast<double>(value), 2);
      EXPECT_NEAR(std::sqrt(squares), golden["norms"][next].get<double>(), 1e-5);
      ++next;
    }
  }
}

/// tests/goldens/stored_files.py wrote the files and describes them.
TEST(Goldens, StoredModelsAreReadable) {
  for (const char* name : {"model.pt", "model.safetensors"}) {
    const Model model = read_model(std::string(kFolder) + name);
    EXPECT_EQ(to_string(model.mlp.shape()), "16-8-10 (relu)");
    EXPECT_EQ(crc32_of(flatten(model.mlp)), goldens()["stored model"]) << name;
    EXPECT_EQ(model.class_names.size(), 10U);
    EXPECT_EQ(model.training["options"]["ema"], 0.9);
    EXPECT_EQ(model.training["data"]["examples"], 100);
  }
}

TEST(Goldens, StoredCheckpointIsReadable) {
  const std::string path = std::string(kFolder) + "checkpoint.safetensors";
  const Checkpoint checkpoint = read_checkpoint(to_bytes(read_text(path)), path);
  EXPECT_EQ(checkpoint.options.hidden, std::vector<std::int64_t>{8});
  EXPECT_EQ(checkpoint.options.optimizer, Optimizer::kAdamW);
  EXPECT_EQ(checkpoint.options.dropout, std::vector<double>{0.1});
  EXPECT_EQ(checkpoint.options.run_dir, "run");
  EXPECT_EQ(checkpoint.data.training_examples, 100);
  EXPECT_EQ(checkpoint.progress.epoch, 2);
  EXPECT_EQ(checkpoint.state.steps, 8);
  std::vector<float> numbers;
  const EngineState& state = checkpoint.state;
  for (const Mlp* mlp : {&state.weights, &state.first_moments, &state.second_moments,
                         &state.averages.value(), &checkpoint.progress.best.value().mlp}) {
    const std::vector<float> values = flatten(*mlp);
    numbers.insert(numbers.end(), values.begin(), values.end());
  }
  EXPECT_EQ(crc32_of(numbers), goldens()["stored checkpoint"]);
}

}  // namespace
}  // namespace mnist
