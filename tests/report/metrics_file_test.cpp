// metrics.jsonl and config.toml: their content, and what a run that resumes keeps.
#include "report/metrics_file.hpp"

#include <limits>

#include <nlohmann/json.hpp>

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

TEST(MetricsFile, AppendsOneObjectPerEpoch) {
  const TemporaryDirectory folder;
  MetricsFile metrics(folder.path(), 1);
  metrics.on_start(RunInfo());
  metrics.on_epoch(report(1));
  EpochReport second = report(2);
  second.validation = Score{0.5, 0.75};
  metrics.on_epoch(second);

  std::ifstream file(folder / "metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["epoch"], 1);
  EXPECT_EQ(lines[0]["train_loss"], 0.25);
  EXPECT_TRUE(lines[0]["validation_loss"].is_null());
  EXPECT_EQ(lines[0]["gradient_norm"]["0.weight"], 1.5);
  EXPECT_EQ(lines[1]["step"], 3750);
  EXPECT_EQ(lines[1]["validation_accuracy"], 0.75);
  EXPECT_NE(read_text(folder / "config.toml").find("epochs = 15"), std::string::npos);
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

/// The epochs in a metrics.jsonl that was `before` when a run started with `first_epoch` and
/// trained it.
std::string metrics_after(const std::string& before, std::int64_t first_epoch) {
  const TemporaryDirectory folder;
  write_bytes(folder / "metrics.jsonl", to_bytes(before));
  MetricsFile metrics(folder.path(), first_epoch);
  metrics.on_epoch(report(first_epoch));
  std::ifstream file(folder / "metrics.jsonl");
  std::string epochs;
  for (std::string line; std::getline(file, line);) {
    epochs += nlohmann::json::parse(line)["epoch"].dump() + ' ';
  }
  return epochs;
}

TEST(MetricsFile, ResumesWithEachEpochOnce) {
  const std::string three = "{\"epoch\":1}\n{\"epoch\":2}\n{\"epoch\":3}\n";
  EXPECT_EQ(metrics_after(three, 1), "1 ");
  EXPECT_EQ(metrics_after(three, 3), "1 2 3 ");
  EXPECT_EQ(metrics_after(three, 4), "1 2 3 4 ");
  EXPECT_EQ(metrics_after("{\"epoch\":1}\n{\"epo", 3), "1 3 ");
  EXPECT_EQ(metrics_after("", 3), "3 ");
}

TEST(MetricsFile, ResumeDropsATruncatedTail) {
  EXPECT_EQ(metrics_after("{\"epoch\":1}\n{\"epoch\":2,\"tr", 3), "1 3 ");
  EXPECT_EQ(metrics_after("{\"epoch\":1}\n{\"epoch\":2}", 3), "1 2 3 ") << "no line break yet";
  EXPECT_EQ(metrics_after("{\"epoch\":1}\n{\"epoch\":\"2\"}\n[]\n", 3), "1 3 ");
}

TEST(MetricsFile, ResumeKeepsTheBytesOfEarlierLines) {
  const TemporaryDirectory folder;
  EpochReport first = report(1);
  first.training = {1.0 / 3, std::numeric_limits<double>::quiet_NaN()};
  MetricsFile(folder.path(), 1).on_epoch(first);
  const std::string before = read_text(folder / "metrics.jsonl");
  const MetricsFile resumed(folder.path(), 2);
  EXPECT_EQ(read_text(folder / "metrics.jsonl"), before);
}

TEST(MetricsFile, StartReplacesTheFileOfAnEarlierRun) {
  const TemporaryDirectory folder;
  write_bytes(folder / "metrics.jsonl", to_bytes("{\"epoch\":1}\n{\"epoch\":2}\n"));
  const MetricsFile started(folder.path(), 1);
  EXPECT_EQ(read_text(folder / "metrics.jsonl"), "");
}

TEST(MetricsFile, EpochsAreAppendedInPlace) {
  const TemporaryDirectory folder;
  MetricsFile metrics(folder.path(), 1);
  metrics.on_epoch(report(1));
  std::ifstream reader(folder / "metrics.jsonl");
  std::string line;
  std::getline(reader, line);
  metrics.on_epoch(report(2));
  ASSERT_TRUE(std::getline(reader, line)) << "the file that is open has no second line";
  EXPECT_EQ(nlohmann::json::parse(line)["epoch"], 2);
}

}  // namespace
}  // namespace mnist
