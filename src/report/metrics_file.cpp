// metrics.jsonl grows in place; only the start of a run replaces it.
#include "report/metrics_file.hpp"

#include <filesystem>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "options/toml.hpp"
#include "support/files.hpp"

namespace mnist {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxMetricsBytes = std::uint64_t{1} << 30;  // about a million epochs

std::string metrics_path(const std::string& directory) {
  return directory + "/metrics.jsonl";
}

}  // namespace

MetricsFile::MetricsFile(std::string directory, std::int64_t first_epoch)
    : directory_(std::move(directory)) {
  const std::string path = metrics_path(directory_);
  if (!std::filesystem::exists(path)) return;
  std::string kept;
  if (first_epoch > 1) {
    for (const Json& epoch : read_metrics(directory_)) {
      if (epoch["epoch"] < first_epoch) kept += epoch.dump() + '\n';
    }
  }
  write_file_atomically(path, kept);
}

void MetricsFile::on_start(const RunInfo& info) {
  write_file_atomically(directory_ + "/config.toml", to_toml(info.options));
}

void MetricsFile::on_epoch(const EpochReport& report) {
  append_to_file(metrics_path(directory_), epoch_json(report) + '\n');
}

std::string epoch_json(const EpochReport& report) {
  const std::optional<Score>& validation = report.validation;
  Json json{{"epoch", report.epoch},
            {"step", report.step},
            {"learning_rate", report.learning_rate},
            {"train_loss", report.training.loss},
            {"train_accuracy", report.training.accuracy},
            {"first_batch_loss", report.first_batch_loss},
            {"last_batch_loss", report.last_batch_loss},
            {"validation_loss", validation ? Json(validation->loss) : Json()},
            {"validation_accuracy", validation ? Json(validation->accuracy) : Json()}};
  for (const auto& [name, norm] : report.gradient_norm) json["gradient_norm"][name] = norm;
  json["seconds"] = report.seconds;
  json["images_per_second"] = report.images_per_second;
  json["peak_memory_bytes"] = report.peak_memory_bytes;
  return json.dump();
}

std::vector<Json> read_metrics(const std::string& directory) {
  const auto bytes = read_whole_file(metrics_path(directory), kMaxMetricsBytes);
  std::istringstream file(std::string(bytes.begin(), bytes.end()));
  std::vector<Json> epochs;
  for (std::string line; std::getline(file, line);) {
    Json epoch = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    const bool valid = epoch.is_object() && epoch.contains("epoch");
    if (!valid || !epoch["epoch"].is_number_integer()) break;
    epochs.push_back(std::move(epoch));
  }
  return epochs;
}

}  // namespace mnist
