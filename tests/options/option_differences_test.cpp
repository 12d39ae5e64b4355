// Options that differ from the defaults, or from those of a stored run.
#include "options/option_differences.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(OptionDifferences, AreShownAsFlags) {
  TrainOptions options;
  EXPECT_EQ(changed_options(options), "all defaults");
  options.epochs = 3;
  options.dropout = {0.1, 0.2};
  options.schedule = Schedule::kCosine;
  options.run_dir = "runs/a";
  options.log.quiet = true;
  EXPECT_EQ(changed_options(options),
            "--epochs 3 --run-dir runs/a --schedule cosine --dropout 0.1,0.2 --quiet");
}

TEST(OptionDifferences, ResumingAllowsMoreEpochsAndOtherRuntimeOptions) {
  const TrainOptions stored;
  TrainOptions wanted;
  wanted.epochs = stored.epochs + 5;
  wanted.out = "elsewhere.pt";
  wanted.threads = 7;
  wanted.device = "cpu";
  EXPECT_NO_THROW(check_resumable(stored, wanted));
  wanted.lr = 0.5;
  expect_throws<UsageError>([&] { check_resumable(stored, wanted); },
                            "--lr 0.5 contradicts --resume: the run has 0.001");
  wanted = stored;
  wanted.epochs = stored.epochs - 1;
  expect_throws<UsageError>([&] { check_resumable(stored, wanted); },
                            "--epochs 14 contradicts --resume: the run has 15; epochs can only");
  wanted = stored;
  wanted.run_dir = "other";
  expect_throws<UsageError>([&] { check_resumable(stored, wanted); },
                            "--run-dir other cannot be combined with --resume");
}

TEST(OptionDifferences, TheSameCommandMayDifferInRuntimeOptionsAlone) {
  const TrainOptions stored;
  TrainOptions wanted;
  wanted.threads = 7;
  wanted.json = true;
  wanted.run_dir = "./runs/moved";
  wanted.checkpoint_every.seconds = 30;
  wanted.require_accuracy = 97;
  wanted.log = {ColorMode::kNever, true, false, "log"};
  EXPECT_NO_THROW(check_same_command(stored, wanted));
  wanted.epochs = 20;
  wanted.out = "m.pt";
  wanted.engine = EngineKind::kTorch;
  expect_throws<UsageError>([&] { check_same_command(stored, wanted); },
                            "--auto-resume: --epochs is 20, the run has 15, --out is m.pt, the run "
                            "has unset, --engine is torch, the run has auto; repeat the options");
  for (const auto& change : std::vector<std::function<void(TrainOptions&)>>{
           [](TrainOptions& o) { o.data = "d"; }, [](TrainOptions& o) { o.no_test = true; },
           [](TrainOptions& o) { o.device = "cuda"; }, [](TrainOptions& o) { o.seed = 1; },
           [](TrainOptions& o) { o.cpu_target = "avx2"; }}) {
    TrainOptions other;
    change(other);
    EXPECT_THROW(check_same_command(stored, other), UsageError);
  }
}

}  // namespace
}  // namespace mnist
