// The files of a run folder that other programs read: config.toml and metrics.jsonl.
#include "mnist/report/metrics_file.hpp"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "mnist/options/toml.hpp"
#include "mnist/support/atomic_file.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

MetricsFile::MetricsFile(std::string folder) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    throw UsageError("--run-dir " + folder_ + " cannot be made: " + error.message());
  }
  check_file_can_be_written(folder_ + "/metrics.jsonl");
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
