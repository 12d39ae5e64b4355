// metrics.jsonl grows in place; only the start of a run replaces it.
#include "report/metrics_file.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "options/toml.hpp"
#include "report/append_file.hpp"
#include "support/atomic_file.hpp"
#include "support/byte_reader.hpp"

namespace mnist {
namespace {

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
    for (const nlohmann::ordered_json& epoch : read_metrics(directory_)) {
      if (epoch["epoch"] < first_epoch) kept += epoch.dump() + '\n';
    }
  }
  write_file_atomically(path, kept);
}

void MetricsFile::on_start(const RunFacts& info) {
  write_file_atomically(directory_ + "/config.toml", to_toml(info.options));
}

void MetricsFile::on_epoch(const EpochReport& report) {
  append_to_file(metrics_path(directory_), epoch_json(report) + '\n');
}

std::string epoch_json(const EpochReport& report) {
  nlohmann::ordered_json json;
  json["epoch"] = report.epoch;
  json["step"] = report.step;
  json["learning_rate"] = report.learning_rate;
  json["train_loss"] = report.training.loss;
  json["train_accuracy"] = report.training.accuracy;
  json["first_batch_loss"] = report.first_batch_loss;
  json["last_batch_loss"] = report.last_batch_loss;
  json["validation_loss"] = nullptr;
  json["validation_accuracy"] = nullptr;
  if (report.validation) {
    json["validation_loss"] = report.validation->loss;
    json["validation_accuracy"] = report.validation->accuracy;
  }
  for (const auto& [name, norm] : report.gradient_norm) json["gradient_norm"][name] = norm;
  json["seconds"] = report.seconds;
  json["images_per_second"] = report.images_per_second;
  json["peak_memory_bytes"] = report.peak_memory_bytes;
  return json.dump();
}

std::vector<nlohmann::ordered_json> parse_metrics(std::string_view text) {
  std::vector<nlohmann::ordered_json> epochs;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto epoch = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!epoch.is_object() || !epoch.contains("epoch") || !epoch["epoch"].is_number_integer()) {
      break;
    }
    epochs.push_back(std::move(epoch));
  }
  return epochs;
}

std::vector<nlohmann::ordered_json> read_metrics(const std::string& directory) {
  const auto bytes = read_whole_file(metrics_path(directory), kMaxMetricsBytes);
  return parse_metrics({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace mnist
