// Summaries of complete runs as JSON, as text, and in a file.
#include "report/summary.hpp"

#include <nlohmann/json.hpp>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

const DataInfo kData{60'000, 7, 4, 9};

RunInfo info() {
  RunInfo info;
  info.options.data = "data/x";
  info.engine = "fused on cpu (AVX2), 2 threads";
  info.device = "cpu";
  info.threads = 2;
  info.libtorch = "LibTorch 2";
  return info;
}

/// Three of four are right.
RunResult result() {
  const Evaluation test{{"a", "b"}, {1, 1, 0, 2}, 0.5, {}};
  return {{false, 15, 12, 0.125, 4.5, {}}, test, Score{0.25, 0.875}, "runs/a/model.pt"};
}

TEST(Summary, HoldsTheResultAndWhereItCameFrom) {
  const auto summary = run_summary(info(), kData, result());
  EXPECT_EQ(summary["test_accuracy"], 0.75);
  EXPECT_EQ(summary["test_correct"], 3);
  EXPECT_EQ(summary["test_examples"], 4);
  EXPECT_NEAR(summary["test_interval"][0].get<double>(), wilson_interval(3, 4).low, 1e-15);
  EXPECT_EQ(summary["test_loss"], 0.5);
  EXPECT_EQ(summary["validation_accuracy"], 0.875);
  EXPECT_EQ(summary["validation_loss"], 0.25);
  EXPECT_EQ(summary["best_epoch"], 12);
  EXPECT_EQ(summary["epochs"], 15);
  EXPECT_EQ(summary["seconds"], 4.5);
  EXPECT_EQ(summary["model"], "runs/a/model.pt");
  EXPECT_EQ(summary["data"]["directory"], "data/x");
  EXPECT_EQ(summary["data"]["training_crc32"], 7);
  EXPECT_EQ(summary["data"]["test_examples"], 4);
  EXPECT_EQ(summary["versions"]["libtorch"], "LibTorch 2");
  EXPECT_TRUE(summary["versions"].contains("mnist-trainer"));
  EXPECT_EQ(summary["engine"], "fused on cpu (AVX2), 2 threads");
  EXPECT_EQ(summary["device"], "cpu");
  EXPECT_EQ(summary["threads"], 2);
}

TEST(Summary, TextNamesWhatWasMeasured) {
  RunResult outcome = result();
  EXPECT_EQ(summary_text(run_summary(info(), kData, outcome)),
            "test accuracy 75.00 % (95 % interval 30.06 to 95.44; 3 of 4), test loss 0.5000, "
            "last-batch loss 0.1250\nmodel: runs/a/model.pt");
  outcome.test.reset();
  const auto untested = run_summary(info(), kData, outcome);
  EXPECT_TRUE(untested["test_accuracy"].is_null());
  EXPECT_EQ(summary_text(untested),
            "validation accuracy 87.50 %, validation loss 0.2500, last-batch loss 0.1250\n"
            "model: runs/a/model.pt");
  outcome.validation.reset();
  EXPECT_EQ(summary_text(run_summary(info(), kData, outcome)),
            "last-batch loss 0.1250\nmodel: runs/a/model.pt");
}

TEST(Summary, FileReadsBackToTheSameText) {
  const TemporaryDirectory folder;
  EXPECT_EQ(read_summary(folder.path()), std::nullopt);
  const auto summary = run_summary(info(), kData, result());
  write_summary(folder.path(), summary);
  EXPECT_EQ(read_summary(folder.path())->dump(), summary.dump());
  for (const char* damaged : {"{", "[]", "{\"a\": 1}", ""}) {
    write_bytes(folder / "summary.json", to_bytes(damaged));
    expect_throws<Error>([&] { read_summary(folder.path()); },
                         "summary.json: is not the summary of a run; delete it");
  }
}

}  // namespace
}  // namespace mnist
