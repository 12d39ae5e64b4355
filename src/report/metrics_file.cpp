// The files of a run folder that other programs read: config.toml and metrics.jsonl.
#include "report/metrics_file.hpp"

#include <filesystem>
#include <sstream>

#include <nlohmann/json.hpp>

#include "options/toml.hpp"
#include "support/atomic_file.hpp"
#include "support/byte_reader.hpp"

namespace mnist {
namespace {

constexpr std::uint64_t kLargestMetrics = std::uint64_t{1} << 32;  // millions of epochs

}  // namespace

MetricsFile::MetricsFile(std::string folder, std::int64_t first_epoch)
    : folder_(std::move(folder)) {
  const std::string path = folder_ + "/metrics.jsonl";
  if (first_epoch == 1 || !std::filesystem::exists(path)) return;
  const std::vector<std::uint8_t> bytes = read_whole_file(path, kLargestMetrics);
  std::istringstream file(std::string(bytes.begin(), bytes.end()));
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || json.value("epoch", first_epoch) >= first_epoch) break;
    lines_ += line + '\n';
  }
}

void MetricsFile::on_start(const RunFacts& facts) {
  write_file_atomically(folder_ + "/config.toml", to_toml(facts.options));
}

void MetricsFile::on_epoch(const EpochReport& report) {
  lines_ += epoch_json(report) + '\n';
  write_file_atomically(folder_ + "/metrics.jsonl", lines_);
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

}  // namespace mnist
