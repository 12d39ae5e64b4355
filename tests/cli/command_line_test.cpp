// Command lines of all programs: precedence, resumed runs, and errors.
#include "cli/command_line.hpp"

#include <cstdlib>
#include <fstream>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

std::string no_version() {
  return "";
}

template <class Options>
Options parsed(std::vector<const char*> flags) {
  flags.insert(flags.begin(), Options::kProgram);
  Options options;
  parse_command_line(static_cast<int>(flags.size()), flags.data(), no_version, options);
  return options;
}

/// A stored run of 7 epochs with learning rate 0.5; flags may not change the learning rate.
template <>
TrainOptions parsed(std::vector<const char*> flags) {
  flags.insert(flags.begin(), TrainOptions::kProgram);
  StoredRuns runs;
  runs.load = [](const std::string& path) {
    TrainOptions options;
    options.epochs = 7;
    options.lr = 0.5;
    options.run_dir = path;
    return options;
  };
  runs.check = [](const TrainOptions& stored, const TrainOptions& requested) {
    if (stored.lr != requested.lr) throw UsageError("another learning rate");
  };
  TrainOptions options;
  parse_command_line(static_cast<int>(flags.size()), flags.data(), no_version, options, runs);
  return options;
}

template <class Options>
void expect_refused(const std::vector<const char*>& flags, std::string_view words) {
  expect_throws<UsageError>([&] { parsed<Options>(flags); }, words);
}

TEST(CommandLine, UnknownOptionsSuggestTheNearest) {
  expect_refused<TrainOptions>({"--bacth", "32"}, "unknown option --bacth; did you mean --batch?");
  expect_refused<TrainOptions>({"--resme=run"}, "unknown option --resme; did you mean --resume?");
  expect_refused<EvalOptions>({"--splt", "test"}, "unknown option --splt; did you mean --split?");
  expect_refused<PredictOptions>({"--modle", "m.pt"}, "unknown option --modle; did you mean --mod");
  expect_refused<ExportOptions>({"--precison", "f32"}, "unknown option --precison; did you mean -");
  expect_refused<ExportOptions>({"--learning-rate"}, "unknown option --learning-rate");
}

TEST(CommandLine, OtherErrorsNameTheFlag) {
  expect_refused<EvalOptions>({"stray"}, "unexpected argument 'stray'");
  expect_refused<EvalOptions>({"--model"}, "--model needs a value");
  expect_refused<EvalOptions>({"--model", "a", "--model", "b"}, "--model is given more than once");
  expect_refused<EvalOptions>({"--split", "all"}, "--split: expected train or test, found 'all'");
}

TEST(CommandLine, FlagsOverrideTheConfigWhichOverridesTheEnvironment) {
  const TemporaryDirectory folder;
  const std::string config = folder / "config.toml";
  std::ofstream(config) << "data = 'from-config'\nbatch = 64\n";
  ::setenv("MNIST_DATA", "from-environment", 1);
  EXPECT_EQ(parsed<EvalOptions>({}).data, "from-environment");
  EXPECT_EQ(parsed<TrainOptions>({}).data, "from-environment");
  const TrainOptions options = parsed<TrainOptions>({"--batch", "8", "--config", config.c_str()});
  EXPECT_EQ(options.data, "from-config");
  EXPECT_EQ(options.batch, 8);
  ::unsetenv("MNIST_DATA");
}

TEST(CommandLine, ResumeStartsFromTheStoredOptions) {
  const TrainOptions options = parsed<TrainOptions>({"--epochs", "9", "--resume", "run"});
  EXPECT_EQ(options.epochs, 9);
  EXPECT_EQ(options.lr, 0.5);
  EXPECT_EQ(options.run_dir, "run");
  EXPECT_EQ(options.resume, "run");
  EXPECT_EQ(parsed<TrainOptions>({}).resume, "");
  expect_refused<TrainOptions>({"--resume", "run", "--lr", "0.1"}, "another learning rate");
  expect_refused<TrainOptions>({"--resume", "run", "--run-dir", "other"},
                               "--run-dir other cannot be combined with --resume, which continues "
                               "in run; to fork the run, copy that directory");
  expect_refused<TrainOptions>({"--resume", "run", "--config", "c.toml"},
                               "--config cannot be combined with --resume");
}

}  // namespace
}  // namespace mnist
