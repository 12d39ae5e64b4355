// Options as TOML and JSON.
#include "options/toml.hpp"

#include <nlohmann/json.hpp>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TrainOptions unusual_options() {
  TrainOptions options;
  options.data = "a \"quoted\" #directory\\with\ttabs 'and' \u043f\u0443\u0442\u044c";
  options.hidden = {};
  options.validation = 0.1;
  options.lr = 1.0 / 3;
  options.optimizer = Optimizer::kAdamW;
  options.seed = 42;
  options.run_dir = "runs/x";
  options.schedule = Schedule::kOneCycle;
  options.dropout = {0.1, 0.25};
  options.augment.elastic = 0.8;
  return options;
}

TEST(Toml, ReadsWhatItWrites) {
  for (const TrainOptions& options : {TrainOptions{}, unusual_options()}) {
    TrainOptions read;
    read_toml(to_toml(options), "config.toml", read);
    EXPECT_EQ(to_toml(read), to_toml(options));
    EXPECT_EQ(read.data, options.data);
    EXPECT_EQ(read.lr, options.lr);
    EXPECT_EQ(read.hidden, options.hidden);
    EXPECT_EQ(read.dropout, options.dropout);
    EXPECT_EQ(read.augment.elastic, options.augment.elastic);
  }
}

TEST(Toml, ReadsBackNumbersThatItsIntegersCannotHold) {
  TrainOptions options;
  options.seed = ~std::uint64_t{0};
  options.weight_decay = 12345678901234567168.0;
  TrainOptions read;
  read_toml(to_toml(options), "config.toml", read);
  EXPECT_EQ(read.seed, options.seed);
  EXPECT_EQ(read.weight_decay, options.weight_decay);
}

TEST(Toml, LeavesUnnamedOptionsUnchanged) {
  TrainOptions options;
  options.epochs = 7;
  read_toml("batch = 64 # comment\nlr = 1\n", "config.toml", options);
  EXPECT_EQ(options.epochs, 7);
  EXPECT_EQ(options.batch, 64);
  EXPECT_EQ(options.lr, 1.0);
  read_toml("dropout = 0.5\nhidden = 64\n", "config.toml", options);
  EXPECT_EQ(options.dropout, std::vector<double>{0.5});
  EXPECT_EQ(options.hidden, std::vector<std::int64_t>{64});
}

TEST(Toml, ErrorsNameFileLineAndKey) {
  TrainOptions options;
  const auto read = [&](const char* text) {
    return [&options, text] { read_toml(text, "c.toml", options); };
  };
  expect_throws<UsageError>(read("\nepoch = 3\n"),
                            "c.toml:2: unknown option 'epoch'; did you mean epochs?");
  expect_throws<UsageError>(read("epochs = 'three'"),
                            "c.toml:1: epochs: 'three' has the wrong type");
  expect_throws<UsageError>(read("epochs = 1.5"), "c.toml:1: epochs");
  expect_throws<UsageError>(read("hidden = [1, 'x']"),
                            "c.toml:1: hidden: expected comma-separated whole numbers");
  expect_throws<UsageError>(read("activation = 'gelu'"), "expected relu");
  expect_throws<UsageError>(read("epochs = \n"), "c.toml:1: ");
  expect_throws<UsageError>(read("[training]\nepochs = 3"), "unknown option 'training'");
}

TEST(Toml, LearningOptionsExcludeRuntimeOptions) {
  TrainOptions here;
  TrainOptions there = here;
  there.data = "elsewhere";
  there.out = "other.pt";
  there.threads = 3;
  EXPECT_EQ(learning_options(here).dump(), learning_options(there).dump());
  there.seed = 1;
  EXPECT_NE(learning_options(here).dump(), learning_options(there).dump());
}

}  // namespace
}  // namespace mnist
