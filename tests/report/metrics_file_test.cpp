// The files of a run folder.
#include "report/metrics_file.hpp"

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

TEST(MetricsFile, WritesOneObjectAnEpoch) {
  const TemporaryFolder folder;
  MetricsFile metrics(folder.path(), 1);
  metrics.on_start(RunFacts());
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

std::string metrics_after(const std::string& before, std::int64_t first_epoch) {
  const TemporaryFolder folder;
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

TEST(MetricsFile, GoesOnWithEachEpochOnce) {
  const std::string three = "{\"epoch\":1}\n{\"epoch\":2}\n{\"epoch\":3}\n";
  EXPECT_EQ(metrics_after(three, 1), "1 ");
  EXPECT_EQ(metrics_after(three, 3), "1 2 3 ");
  EXPECT_EQ(metrics_after(three, 4), "1 2 3 4 ");
  EXPECT_EQ(metrics_after("{\"epoch\":1}\n{\"epo", 3), "1 3 ");
  EXPECT_EQ(metrics_after("", 3), "3 ");
}

}  // namespace
}  // namespace mnist
