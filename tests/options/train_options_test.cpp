// What a training run may be asked for.
#include "mnist/options/train_options.hpp"

#include <limits>
#include <set>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

/// Expects the options that `change` makes of the defaults to be refused with `words`.
void expect_refused(const std::function<void(TrainOptions&)>& change, std::string_view words) {
  TrainOptions options;
  change(options);
  expect_throws<UsageError>([&] { validate(options); }, words);
}

TEST(TrainOptions, DefaultsAreTheGuides) {
  const TrainOptions options;
  validate(options);
  EXPECT_EQ(options.epochs, 15);
  EXPECT_EQ(options.batch, 32);
  EXPECT_EQ(options.lr, 0.001);
  EXPECT_EQ(options.hidden, (std::vector<std::int64_t>{256, 128}));
}

TEST(TrainOptions, RefusesWhatIsOutOfRange) {
  using Options = TrainOptions;
  expect_refused([](Options& o) { o.epochs = 0; }, "--epochs must be from 1 to 1000000, found 0");
  expect_refused([](Options& o) { o.batch = 0; }, "--batch must be from 1 to 60000, found 0");
  expect_refused([](Options& o) { o.batch = 70000; }, "found 70000");
  expect_refused([](Options& o) { o.lr = std::numeric_limits<double>::quiet_NaN(); }, "found nan");
  expect_refused([](Options& o) { o.lr = 0; }, "--lr must be above 0");
  expect_refused([](Options& o) { o.lr = -1; }, "--lr must be above 0");
  expect_refused([](Options& o) { o.weight_decay = -1; }, "--weight-decay");
  expect_refused([](Options& o) { o.label_smoothing = 1; }, "--label-smoothing must be from 0");
  expect_refused([](Options& o) { o.hidden = {256, 0}; }, "--hidden must be from 1");
  expect_refused([](Options& o) { o.hidden.assign(65, 8); }, "--hidden must be at most 64 widths");
  expect_refused([](Options& o) { o.limit = -1; }, "--limit");
  expect_refused([](Options& o) { o.validation = -0.5; }, "--validation");
  expect_refused([](Options& o) { o.validation = 1.5; }, "--validation");
  expect_refused([](Options& o) { o.threads = -1; }, "--threads");
  expect_refused([](Options& o) { o.require_accuracy = 101; }, "--require-accuracy");
  expect_refused([](Options& o) { o.out = "model.onnx"; }, "ends in .pt or .safetensors");
  for (const char* device : {"", "gpu", "cuda:", "cuda:x", "cuda:12345", "CPU"}) {
    expect_refused([&](Options& o) { o.device = device; }, "--device must be auto, cpu, cuda");
  }
}

TEST(TrainOptions, RefusesContradictions) {
  expect_refused(
      [](TrainOptions& o) {
        o.hidden.clear();
        o.activation = Activation::kTanh;
      },
      "--activation tanh contradicts --hidden none");
}

TEST(TrainOptions, ValidationIsACountOrAFraction) {
  TrainOptions options;
  EXPECT_EQ(validation_examples(options, 1000), 0);
  options.validation = 0.25;
  EXPECT_EQ(validation_examples(options, 1000), 250);
  options.validation = 200;
  EXPECT_EQ(validation_examples(options, 1000), 200);
  expect_throws<UsageError>([&] { validation_examples(options, 200); }, "leaves nothing");
  options.validation = 0.0001;
  expect_throws<UsageError>([&] { validation_examples(options, 100); }, "less than one example");
}

TEST(TrainOptions, TableNamesEachOptionOnceAsAFlag) {
  const TrainOptions options;
  std::set<std::string> names;
  TrainOptions::for_each(options, [&](const auto&, const OptionInfo& info) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    for (const char* c = info.name; *c != '\0'; ++c) {
      EXPECT_TRUE((*c >= 'a' && *c <= 'z') || *c == '-') << info.name;
    }
  });
  EXPECT_TRUE(names.contains("weight-decay"));
}

}  // namespace
}  // namespace mnist
