// Defaults, validation and table of the training options.
#include "mnist/options/train_options.hpp"

#include <limits>
#include <set>

#include "mnist/support/error.hpp"
#include "options/train_option_table.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

/// Expects the defaults after `change` to be rejected with a message that contains `words`.
void expect_refused(const std::function<void(TrainOptions&)>& change, std::string_view words) {
  TrainOptions options;
  change(options);
  expect_throws<UsageError>([&] { validate(options); }, words);
}

TEST(TrainOptions, DefaultsAreThoseOfTheDocumentation) {
  const TrainOptions options;
  validate(options);
  EXPECT_EQ(options.epochs, 15);
  EXPECT_EQ(options.batch, 32);
  EXPECT_EQ(options.lr, 0.001);
  EXPECT_EQ(options.hidden, (std::vector<std::int64_t>{256, 128}));
}

TEST(TrainOptions, RefusesValuesOutOfRange) {
  using Options = TrainOptions;
  expect_refused([](Options& o) { o.epochs = 0; }, "--epochs must be from 1 to 1000000, found 0");
  expect_refused([](Options& o) { o.batch = 0; }, "--batch must be from 1 to 60000, found 0");
  expect_refused([](Options& o) { o.batch = 70000; }, "found 70000");
  expect_refused([](Options& o) { o.lr = std::numeric_limits<double>::quiet_NaN(); }, "found nan");
  expect_refused([](Options& o) { o.lr = 0; }, "--lr must be above 0");
  expect_refused([](Options& o) { o.lr = -1; }, "--lr must be above 0");
  expect_refused([](Options& o) { o.weight_decay = -1; }, "--weight-decay");
  expect_refused([](Options& o) { o.label_smoothing = 1; }, "--label-smoothing must be from 0");
  expect_refused([](Options& o) { o.clip_norm = -1; }, "--clip-norm");
  expect_refused([](Options& o) { o.ema = 1; }, "--ema must be from 0 to below 1, found 1");
  expect_refused([](Options& o) { o.warmup = 15; }, "--warmup must be from 0 to below the 15 ep");
  expect_refused([](Options& o) { o.step_epochs = 0; }, "--step-epochs");
  expect_refused([](Options& o) { o.step_factor = 0; }, "--step-factor");
  expect_refused([](Options& o) { o.patience = -1; }, "--patience");
  expect_refused([](Options& o) { o.dropout = {0.5, 1}; }, "--dropout must be from 0 to below 1");
  expect_refused([](Options& o) { o.input_dropout = 1; }, "--input-dropout");
  expect_refused([](Options& o) { o.augment.rotation = 181; }, "--rotation");
  expect_refused([](Options& o) { o.augment.translation = -1; }, "--translation");
  expect_refused([](Options& o) { o.augment.scaling = 1; }, "--scaling");
  expect_refused([](Options& o) { o.augment.shear = 90; }, "--shear");
  expect_refused([](Options& o) { o.augment.elastic = -1; }, "--elastic must");
  expect_refused([](Options& o) { o.augment.elastic_smoothness = 0.5; }, "--elastic-smoothness");
  expect_refused([](Options& o) { o.augment.flip = 2; }, "--flip");
  expect_refused([](Options& o) { o.augment.erasing = 2; }, "--erasing");
  expect_refused([](Options& o) { o.augment.fade_augment = 2; }, "--fade-augment");
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
      "--activation tanh cannot be combined with --hidden none");
  expect_refused([](TrainOptions& o) { o.patience = 3; },
                 "--patience needs --validation: early stopping monitors held-out examples");
  expect_refused([](TrainOptions& o) { o.dropout = {0.1, 0.1, 0.1}; },
                 "one for each of the 2 hidden layers, found 0.1,0.1,0.1");
  expect_refused(
      [](TrainOptions& o) {
        o.schedule = Schedule::kOneCycle;
        o.warmup = 1;
      },
      "--warmup cannot be combined with --schedule one-cycle");
}

TEST(TrainOptions, RequiredAccuracyNeedsATest) {
  expect_refused(
      [](TrainOptions& o) {
        o.no_test = true;
        o.require_accuracy = 90;
      },
      "--no-test cannot be combined with --require-accuracy");
}

TEST(TrainOptions, OnlyTheFusedEngineOnACpuHasACpuTarget) {
  const auto refuses = [](const std::function<void(TrainOptions&)>& change) {
    expect_refused(
        [&](TrainOptions& o) {
          o.cpu_target = "avx2";
          EXPECT_NO_THROW(validate(o));
          change(o);
        },
        "--cpu-target needs the fused engine on a CPU");
  };
  refuses([](TrainOptions& o) { o.engine = EngineKind::kTorch; });
  refuses([](TrainOptions& o) { o.device = "cuda"; });
  refuses([](TrainOptions& o) { o.activation = Activation::kTanh; });
}

TEST(TrainOptions, ModelGoesIntoTheRunDirectoryByDefault) {
  TrainOptions options;
  EXPECT_EQ(options.model_path(), "model.pt");
  options.run_dir = "runs/a";
  EXPECT_EQ(options.model_path(), "runs/a/model.pt");
  options.out = "elsewhere.safetensors";
  EXPECT_EQ(options.model_path(), "elsewhere.safetensors");
}

TEST(TrainOptions, RefusesFlagsWithoutEffect) {
  for (const CheckpointInterval& every : {CheckpointInterval{.steps = 5}, {.seconds = 30}}) {
    expect_refused([&](TrainOptions& o) { o.checkpoint_every = every; },
                   "--checkpoint-every needs --run-dir");
  }
  expect_refused(
      [](TrainOptions& o) {
        o.engine = EngineKind::kFused;
        o.activation = Activation::kTanh;
      },
      "--engine fused supports only --activation relu, found tanh");
}

TEST(TrainOptions, DropoutIsPerLayerOrShared) {
  TrainOptions options;
  EXPECT_EQ(options.dropout_of(2), 0);
  options.dropout = {0.5};
  EXPECT_EQ(options.dropout_of(2), 0.5);
  options.dropout = {0.5, 0.25};
  EXPECT_EQ(options.dropout_of(2), 0.25);
}

TEST(TrainOptions, ValidationIsACountOrAFraction) {
  TrainOptions options;
  EXPECT_EQ(validation_examples(options, 1000), 0);
  options.validation = 0.25;
  EXPECT_EQ(validation_examples(options, 1000), 250);
  options.validation = 0.0017;
  EXPECT_EQ(validation_examples(options, 1000), 2) << "rounded";
  options.validation = 200;
  EXPECT_EQ(validation_examples(options, 1000), 200);
  expect_throws<UsageError>([&] { validation_examples(options, 200); },
                            "leaves none of 200 examples to train on");
  options.validation = 0.0001;
  expect_throws<UsageError>([&] { validation_examples(options, 100); }, "is less than one");
}

TEST(TrainOptions, OnlyTheseDoNotChangeTheOutcome) {
  std::set<std::string> names;
  const TrainOptions options;
  for_each_option(options, [&](const auto&, const OptionInfo& info) {
    if (info.scope == OptionScope::kRuntime) names.insert(info.name);
  });
  EXPECT_EQ(names,
            (std::set<std::string>{"checkpoint-every", "color", "json", "log-file", "profile",
                                   "quiet", "require-accuracy", "run-dir", "threads", "verbose"}));
}

TEST(TrainOptions, TableNamesEachOptionOnceAsAFlag) {
  const TrainOptions options;
  std::set<std::string> names;
  for_each_option(options, [&](const auto&, const OptionInfo& info) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    for (const char c : info.name) {
      EXPECT_TRUE((c >= 'a' && c <= 'z') || c == '-') << info.name;
    }
  });
  EXPECT_TRUE(names.contains("weight-decay"));
}

}  // namespace
}  // namespace mnist
