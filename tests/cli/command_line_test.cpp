// Command lines of all programs: precedence, resumed runs, recipes, help, and errors.
#include "cli/command_line.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "mnist/support/error.hpp"
#include "test_support.hpp"
#include "train/run_dir.hpp"

namespace mnist {
namespace {

std::string no_version() {
  return "";
}

template <class Options>
Options parsed(std::vector<const char*> flags) {
  flags.insert(flags.begin(), Options::kProgram);
  Options options;
  parse_command_line(Arguments(flags), no_version, options);
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

/// Stores an unfinished run of 7 epochs with learning rate 0.5 in `directory`.
void store_run(const std::string& directory) {
  Checkpoint checkpoint;
  checkpoint.options.epochs = 7;
  checkpoint.options.lr = 0.5;
  checkpoint.options.hidden = {3};
  checkpoint.options.run_dir = "where it once was";
  const Mlp weights = initial_parameters({6, {3}, 2, Activation::kRelu}, 1);
  checkpoint.state = {1, weights, weights, weights, {}};
  RunDir(directory).save(checkpoint);
}

TEST(CommandLine, ResumeStartsFromTheStoredOptions) {
  const TemporaryDirectory folder;
  const std::string run = folder / "run";
  store_run(run);
  const TrainOptions options = parsed<TrainOptions>({"--epochs", "9", "--resume", run.c_str()});
  EXPECT_EQ(options.epochs, 9);
  EXPECT_EQ(options.lr, 0.5);
  EXPECT_EQ(options.run_dir, run);
  EXPECT_EQ(options.resume, run);
  EXPECT_EQ(options.model_path(), run + "/model.pt");
  EXPECT_EQ(parsed<TrainOptions>({}).resume, "");
  expect_refused<TrainOptions>({"--resume", run.c_str(), "--lr", "0.1"},
                               "--lr 0.1 contradicts --resume: the run has 0.5");
  expect_refused<TrainOptions>({"--resume", run.c_str(), "--run-dir", "other"},
                               "--run-dir other cannot be combined with --resume, which continues "
                               "in " +
                                   run + "; to fork the run, copy that directory");
  expect_refused<TrainOptions>({"--resume", "run", "--config", "c.toml"},
                               "--config cannot be combined with --resume");
  expect_refused<TrainOptions>({"--resume", "run", "--recipe", "guide"},
                               "--recipe cannot be combined with --resume");
  expect_refused<TrainOptions>({"--resume", "run", "--auto-resume"},
                               "--auto-resume cannot be combined with --resume");
}

TEST(CommandLine, AutoResumeNeedsARunDirectory) {
  EXPECT_TRUE(parsed<TrainOptions>({"--auto-resume", "--run-dir", "run"}).auto_resume);
  EXPECT_FALSE(parsed<TrainOptions>({"--run-dir", "run"}).auto_resume);
  expect_refused<TrainOptions>({"--auto-resume"}, "--auto-resume needs --run-dir");
}

TEST(CommandLine, RecipesAreFoundByNameAndOverriddenByFlags) {
  const TrainOptions options = parsed<TrainOptions>({"--lr", "0.5", "--recipe", "mnist-best"});
  EXPECT_EQ(options.epochs, 120);
  EXPECT_EQ(options.lr, 0.5);
  expect_refused<TrainOptions>(
      {"--recipe", "mnist-bset"},
      "--recipe: expected fashion-best, fashion-mnist, fashion-quick, "
      "guide, mnist-augmented, mnist-best, mnist-quick or mnist-tiny, found "
      "'mnist-bset'");
  expect_refused<TrainOptions>({"--recipe", "../recipes/guide"}, "--recipe: expected");
  expect_refused<TrainOptions>({"--recipe", "guide", "--config", "c.toml"},
                               "--config cannot be combined with --recipe");
}

/// The text that a program prints for `flag`.
template <class Options>
std::string printed(const char* flag) {
  const std::vector<const char*> arguments{Options::kProgram, flag};
  Options options;
  return parse_command_line(Arguments(arguments), no_version, options).value();
}

template <class Options>
void expect_clean_help() {
  for (const char* flag : {"--help", "-h"}) {
    const std::string text = printed<Options>(flag);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
    const std::size_t usage = text.find("\n\nUsage: mnist-");
    const std::size_t examples = text.find("\nExamples:\n  mnist-");
    const std::size_t codes = text.find("\nExit codes: 0 success, 1 failure, 2 usage, ");
    EXPECT_TRUE(usage < examples && examples < codes && codes < text.size()) << text;
  }
  EXPECT_LT(printed<Options>("-h").size(), printed<Options>("--help").size());
}

TEST(CommandLine, HelpFitsATerminalAndEndsWithExamplesAndExitCodes) {
  expect_clean_help<TrainOptions>();
  expect_clean_help<EvalOptions>();
  expect_clean_help<PredictOptions>();
  expect_clean_help<ExportOptions>();
}

TEST(CommandLine, ShortHelpHasTheMainOptionsAlone) {
  const std::string brief = printed<TrainOptions>("-h");
  const std::string full = printed<TrainOptions>("--help");
  EXPECT_NE(brief.find("\nStart here:\n  --data DIR "), std::string::npos) << brief;
  EXPECT_NE(brief.find("  -h, --help "), std::string::npos);
  EXPECT_EQ(brief.find("--elastic"), std::string::npos);
  EXPECT_EQ(full.find("\nStart here:\n"), brief.find("\nStart here:\n"));
  EXPECT_NE(
      full.find("\n  --batch N                 minibatch size; the last one of an epoch may be "
                "smaller [default: 32]\n"),
      std::string::npos)
      << full;
  EXPECT_NE(full.find(" [environment: MNIST_DATA]\n"), std::string::npos) << full;
  EXPECT_NE(full.find(" [default: data/mnist]\n"), std::string::npos);
  for (const char* group : {"Data", "Model", "Training", "Regularization", "Augmentation",
                            "Hardware", "Output", "Logging", "Configuration", "Help"}) {
    EXPECT_NE(full.find("\n\n" + std::string(group) + ":\n"), std::string::npos) << group;
  }
}

}  // namespace
}  // namespace mnist
