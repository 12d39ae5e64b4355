// The keys of summary.json.
#include "report/summary.hpp"

#include <filesystem>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"
#include "support/files.hpp"
#include "support/text.hpp"
#include "train/run_dir.hpp"

namespace mnist {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Json run_summary(const RunInfo& info, const DataInfo& data, const RunResult& result) {
  Json summary{{"test_accuracy", nullptr},  {"test_interval", nullptr},
               {"test_loss", nullptr},      {"test_correct", nullptr},
               {"test_examples", nullptr},  {"validation_accuracy", nullptr},
               {"validation_loss", nullptr}};
  if (result.test) {
    const std::int64_t correct = result.test->correct();
    const std::int64_t examples = result.test->examples();
    const Interval interval = wilson_interval(correct, examples);
    summary["test_accuracy"] = result.test->accuracy();
    summary["test_interval"] = {interval.low, interval.high};
    summary["test_loss"] = result.test->loss;
    summary["test_correct"] = correct;
    summary["test_examples"] = examples;
  }
  if (result.validation) {
    summary["validation_accuracy"] = result.validation->accuracy;
    summary["validation_loss"] = result.validation->loss;
  }
  summary["last_batch_loss"] = result.training.last_batch_loss;
  summary["best_epoch"] = result.training.kept_epoch;
  summary["epochs"] = result.training.epochs;
  summary["seconds"] = result.training.seconds;
  summary["model"] = result.model_path;
  summary["data"] = {{"directory", info.options.data},
                     {"training_examples", data.training_examples},
                     {"training_crc32", data.training_crc32},
                     {"test_examples", data.test_examples},
                     {"test_crc32", data.test_crc32}};
  summary["versions"] = {
      {"mnist-trainer", kVersion}, {"revision", kRevision}, {"libtorch", info.libtorch}};
  summary["engine"] = info.engine;
  summary["device"] = info.device;
  summary["threads"] = info.threads;
  return summary;
}

void write_summary(const std::string& directory, const Json& summary) {
  write_file_atomically(summary_path(directory), json_text(summary, 2) + "\n");
}

std::optional<Json> read_summary(const std::string& directory) {
  constexpr std::uint64_t kMaxSummarySize = 1 << 20;
  const std::string path = summary_path(directory);
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::vector<std::uint8_t> bytes = read_whole_file(path, kMaxSummarySize);
  Json summary = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!summary.is_object() || !summary.contains("test_accuracy")) {
    throw Error(path + ": is not the summary of a run; delete it to let the run resume");
  }
  return summary;
}

std::string summary_text(const Json& summary) {
  const auto number = [&](const char* key) { return summary.at(key).get<double>(); };
  std::string text;
  if (!summary.at("test_accuracy").is_null()) {
    text = fmt::format("test accuracy {}, test loss {:.4f}, ",
                       accuracy_text(summary.at("test_correct").get<std::int64_t>(),
                                     summary.at("test_examples").get<std::int64_t>()),
                       number("test_loss"));
  } else if (!summary.at("validation_accuracy").is_null()) {
    text = fmt::format("validation accuracy {:.2f} %, validation loss {:.4f}, ",
                       100 * number("validation_accuracy"), number("validation_loss"));
  }
  return text + fmt::format("last-batch loss {:.4f}\nmodel: {}", number("last_batch_loss"),
                            summary.at("model").get<std::string>());
}

}  // namespace mnist
