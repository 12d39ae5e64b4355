// Run directories: locking, and the current and the previous checkpoint.
#include "train/run_dir.hpp"

#include "mnist/model/mlp.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

Checkpoint at_step(std::int64_t step) {
  Checkpoint checkpoint;
  checkpoint.options.hidden = {3};
  const Mlp weights = initial_parameters({6, {3}, 2, Activation::kRelu}, 1);
  checkpoint.state = {step, weights, weights, weights, {}};
  checkpoint.progress.step = step;
  return checkpoint;
}

TEST(RunDir, KeepsTheCurrentAndThePreviousCheckpoint) {
  const TemporaryDirectory parent;
  const std::string path = parent / "runs/first";
  const RunDir folder(path);
  for (const std::int64_t step : {1, 2, 3}) folder.save(at_step(step));
  EXPECT_EQ(load_checkpoint(path).progress.step, 3);
  EXPECT_EQ(load_checkpoint(path + "/checkpoint.previous.safetensors").progress.step, 2);
  folder.clear(/*resumes=*/false);
  expect_throws<UsageError>([&] { load_checkpoint(path); }, "does not exist");
  EXPECT_FALSE(std::filesystem::exists(path + "/checkpoint.previous.safetensors"));
}

TEST(RunDir, SuggestsThePreviousCheckpointIfTheCurrentOneIsDamaged) {
  const TemporaryDirectory parent;
  const RunDir folder(parent.path());
  folder.save(at_step(1));
  write_bytes(parent / "checkpoint.safetensors", {1, 2, 3});
  expect_throws<Error>([&] { load_checkpoint(parent.path()); },
                       "start a new run in another directory");
  folder.save(at_step(1));
  folder.save(at_step(2));
  write_bytes(parent / "checkpoint.safetensors", {1, 2, 3});
  expect_throws<Error>([&] { load_checkpoint(parent.path()); },
                       "; the previous one, from step 1, is intact: use --resume " + parent.path() +
                           "/checkpoint.previous.safetensors");
}

TEST(RunDir, BelongsToOneProcess) {
  const TemporaryDirectory parent;
  const RunDir folder(parent.path());
  expect_throws<UsageError>([&] { RunDir second(parent.path()); }, "is locked by process");
}

TEST(RunDir, RefusesToOverwriteAnUnfinishedRun) {
  const TemporaryDirectory parent;
  const RunDir folder(parent.path());
  EXPECT_NO_THROW(folder.check_may_start());
  Checkpoint checkpoint = at_step(5);
  folder.save(checkpoint);
  expect_throws<UsageError>([&] { folder.check_may_start(); },
                            "an unfinished run; resume it with --resume ");
  checkpoint.progress.epoch = checkpoint.options.epochs + 1;
  folder.save(checkpoint);
  EXPECT_NO_THROW(folder.check_may_start());
  write_bytes(parent / "checkpoint.safetensors", {1, 2, 3});
  expect_throws<UsageError>([&] { folder.check_may_start(); }, "a checkpoint that cannot be read");
}

TEST(RunDir, ARunThatResumesKeepsItsCheckpointButNotItsSummary) {
  const TemporaryDirectory parent;
  const RunDir folder(parent.path());
  folder.save(at_step(1));
  write_bytes(summary_path(parent.path()), {1});
  folder.clear(/*resumes=*/true);
  EXPECT_FALSE(std::filesystem::exists(summary_path(parent.path())));
  EXPECT_EQ(load_checkpoint(parent.path()).progress.step, 1);
}

TEST(RunDir, FindsTheOptionsOfARunWhateverItsState) {
  const TemporaryDirectory parent;
  EXPECT_FALSE(find_run(parent.path()).has_value());
  EXPECT_FALSE(find_run(parent / "missing").has_value());
  RunDir(parent.path()).save(at_step(1));
  EXPECT_EQ(find_run(parent.path())->hidden, std::vector<std::int64_t>{3});
  EXPECT_EQ(find_run(parent.path())->run_dir, parent.path());
  // A complete run needs no checkpoint.
  std::filesystem::remove(parent / "checkpoint.safetensors");
  write_bytes(summary_path(parent.path()), to_bytes("{}"));
  write_bytes(parent / "config.toml", to_bytes("epochs = 7"));
  EXPECT_EQ(find_run(parent.path())->epochs, 7);
}

TEST(RunDir, RemovesTemporaryFilesOfKilledProcesses) {
  const TemporaryDirectory parent;
  write_bytes(parent / "checkpoint.safetensors.tmp-a1B2c3", {1});
  write_bytes(parent / "notes.tmp-too-long", {1});
  const RunDir folder(parent.path());
  EXPECT_FALSE(std::filesystem::exists(parent / "checkpoint.safetensors.tmp-a1B2c3"));
  EXPECT_TRUE(std::filesystem::exists(parent / "notes.tmp-too-long"));
}

TEST(RunDir, RejectsPathsThatCannotBeDirectories) {
  const TemporaryDirectory parent;
  write_bytes(parent / "file", {1});
  expect_throws<UsageError>([&] { RunDir folder(parent / "file"); }, "--run-dir");
  expect_throws<UsageError>([&] { RunDir folder(parent / "file/inside"); }, "cannot be created");
}

}  // namespace
}  // namespace mnist
