// The files of a run folder.
#include "mnist/report/metrics_file.hpp"

#include <nlohmann/json.hpp>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

EpochReport report(std::int64_t epoch) {
  EpochReport report;
  report.epoch = epoch;
  report.step = 1875 * epoch;
  report.training = {0.25, 0.9};
  report.gradient_norm = {{"0.weight", 1.5}};
  return report;
}

TEST(MetricsFile, WritesOneObjectAnEpoch) {
  const TemporaryFolder folder;
  MetricsFile metrics(folder / "runs/first");
  metrics.on_start({});
  metrics.on_epoch(report(1));
  EpochReport second = report(2);
  second.validation = Score{0.5, 0.75};
  metrics.on_epoch(second);

  std::ifstream file(folder / "runs/first/metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["epoch"], 1);
  EXPECT_EQ(lines[0]["train_loss"], 0.25);
  EXPECT_TRUE(lines[0]["validation_loss"].is_null());
  EXPECT_EQ(lines[0]["gradient_norm"]["0.weight"], 1.5);
  EXPECT_EQ(lines[1]["step"], 3750);
  EXPECT_EQ(lines[1]["validation_accuracy"], 0.75);
  EXPECT_NE(read_text(folder / "runs/first/config.toml").find("epochs = 15"), std::string::npos);
}

TEST(MetricsFile, HasAllDocumentedKeys) {
  const auto json = nlohmann::json::parse(epoch_json(report(1)));
  for (const char* key :
       {"epoch", "step", "learning_rate", "train_loss", "train_accuracy", "first_batch_loss",
        "last_batch_loss", "validation_loss", "validation_accuracy", "gradient_norm", "seconds",
        "images_per_second", "peak_memory_bytes"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

TEST(MetricsFile, RefusesAFolderThatCannotBe) {
  const TemporaryFolder folder;
  write_bytes(folder / "file", {1});
  expect_throws<UsageError>([&] { MetricsFile metrics(folder / "file"); }, "--run-dir");
  expect_throws<UsageError>([&] { MetricsFile metrics(folder / "file/inside"); }, "cannot be made");
}

}  // namespace
}  // namespace mnist
