// Checkpoints round-trip bitwise, and damaged or contradictory ones are rejected.
#include "train/checkpoint.hpp"

#include "mnist/model/mlp.hpp"
#include "mnist/support/error.hpp"
#include "options/option_differences.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

Checkpoint example() {
  Checkpoint checkpoint;
  TrainOptions& options = checkpoint.options;
  options.hidden = {4, 3};
  options.ema = 0.99;
  options.validation = 0.25;
  options.patience = 3;
  options.run_dir = "runs/a \"quoted\" #1";
  options.checkpoint_every.seconds = 2.5;
  checkpoint.data = {60000, 0xfedcba98, 10000, 7};
  checkpoint.engine = "fused on cpu";
  const Mlp weights = initial_parameters({6, {4, 3}, 2, Activation::kRelu}, 1);
  checkpoint.state = {123, weights, weights, weights, weights};
  checkpoint.state.second_moments.layers[0].bias[2] = 1.5e-38F;
  checkpoint.progress = {
      3, 17, 123, 0.1 + 0.2, 99, 2.3, 1.0 / 3, 1e-3, 0.5, BestEpoch{2, {0.25, 0.9}, weights}, 12.5};
  return checkpoint;
}

TEST(Checkpoint, RoundTripsBitwise) {
  const Checkpoint before = example();
  const Checkpoint after = read_checkpoint(checkpoint_bytes(before), "c");
  EXPECT_TRUE(option_differences(before.options, after.options).empty());
  EXPECT_EQ(after.options.run_dir, before.options.run_dir);
  EXPECT_EQ(after.options.checkpoint_every.seconds, 2.5);
  EXPECT_EQ(after.data, before.data);
  EXPECT_EQ(after.engine, before.engine);
  EXPECT_EQ(after.state.steps, 123);
  EXPECT_TRUE(after.state.weights == before.state.weights);
  EXPECT_TRUE(after.state.first_moments == before.state.first_moments);
  EXPECT_TRUE(after.state.second_moments == before.state.second_moments);
  EXPECT_TRUE(after.state.averages == before.state.averages);
  EXPECT_TRUE(after.progress.best->mlp == before.progress.best->mlp);
  EXPECT_EQ(after.progress.best->epoch, 2);
  EXPECT_EQ(after.progress.best->validation.loss, 0.25);
  EXPECT_EQ(after.progress.epoch, 3);
  EXPECT_EQ(after.progress.minibatches, 17);
  EXPECT_EQ(after.progress.loss_sum, 0.1 + 0.2);
  EXPECT_EQ(after.progress.last_batch_loss, 1.0 / 3);
  EXPECT_EQ(after.progress.run_seconds, 12.5);
  EXPECT_EQ(checkpoint_bytes(after), checkpoint_bytes(before));
}

TEST(Checkpoint, DetectsAFlippedBitAndTruncationAnywhere) {
  const std::vector<std::uint8_t> bytes = checkpoint_bytes(example());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::vector<std::uint8_t> changed = bytes;
    changed[i] ^= 0x10;
    try {
      const Checkpoint read = read_checkpoint(changed, "c");
      EXPECT_EQ(checkpoint_bytes(read), bytes) << "byte " << i << " went unnoticed";
    } catch (const Error&) {
      continue;
    }
  }
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    const std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
    EXPECT_THROW(read_checkpoint(cut, "c"), Error) << size;
  }
}

TEST(Checkpoint, ReadsFormat1) {
  // Written by an earlier version after one step, with moments in the scale of its CPU engine: the
  // checkpoint's scales are 0.1 and 0.001, which are 1 - beta.
  const std::string path = MNIST_SOURCE_DIR "/tests/fuzz/seeds/checkpoint/whole.safetensors";
  const Checkpoint checkpoint = read_checkpoint(to_bytes(read_text(path)), "c");
  EXPECT_EQ(checkpoint.engine, "fused on cpu (AVX2), 2 threads");
  EXPECT_EQ(checkpoint.progress.epoch, 2);
  EXPECT_EQ(checkpoint.progress.best->validation.accuracy, 1);
  const EngineState& state = checkpoint.state;
  EXPECT_EQ(state.steps, 1);
  EXPECT_EQ(state.weights.layers[1].bias, (std::vector<float>{0.8389894366F, -0.6584523320F}));
  EXPECT_EQ(state.averages->layers[1].bias, (std::vector<float>{0.8399894238F, -0.6594523191F}));
  const float gradient = 0.5200330019F;
  EXPECT_EQ(state.first_moments.layers[1].bias,
            (std::vector<float>{0.1F * gradient, -0.1F * gradient}));
  EXPECT_FLOAT_EQ(state.second_moments.layers[1].bias[1], 0.001F * gradient * gradient);
  const Checkpoint again = read_checkpoint(checkpoint_bytes(checkpoint), "c");
  EXPECT_TRUE(again.state.second_moments == state.second_moments) << "format 2 has no scales";
}

TEST(Checkpoint, RejectsANewerFormatByNumber) {
  std::vector<std::uint8_t> bytes = checkpoint_bytes(example());
  std::string text(bytes.begin(), bytes.end());
  const std::string format = "\\\"format\\\":2";
  text.replace(text.find(format), format.size(), "\\\"format\\\":7");
  expect_throws<Error>([&] { read_checkpoint(to_bytes(text), "c"); },
                       "c: has format 7 of mnist-trainer");
}

TEST(Checkpoint, RejectsOtherFilesAndContradictions) {
  expect_throws<Error>([] { read_checkpoint(to_bytes("hello"), "c"); }, "c: ");
  Checkpoint other = example();
  other.state.averages.reset();
  expect_throws<Error>([&] { read_checkpoint(checkpoint_bytes(other), "c"); },
                       "its tensors do not match its options");
  other = example();
  other.state.first_moments = initial_parameters({6, {5, 3}, 2, Activation::kRelu}, 1);
  expect_throws<Error>([&] { read_checkpoint(checkpoint_bytes(other), "c"); },
                       "its 'first_moment.' tensors are a network of shape 6-5-3-2 (relu), "
                       "expected 6-4-3-2 (relu)");
}

TEST(Checkpoint, RejectsOtherData) {
  const DataInfo stored = example().data;
  EXPECT_NO_THROW(check_same_data(stored, stored, "d"));
  DataInfo found = stored;
  found.test_crc32 ^= 1;
  expect_throws<Error>([&] { check_same_data(stored, found, "d"); }, "d: has different data");
  found.test_examples = 0;  // with --no-test
  found.test_crc32 = 0;
  EXPECT_NO_THROW(check_same_data(stored, found, "d"));
  EXPECT_NO_THROW(check_same_data(found, stored, "d"));
  found.training_crc32 ^= 1;
  expect_throws<Error>([&] { check_same_data(stored, found, "d"); }, "d: has different data");
}

}  // namespace
}  // namespace mnist
