// An evaluation as a page to look at.
#include "report/html_report.hpp"

#include <sstream>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "report/weight_levels.hpp"
#include "support/byte_reader.hpp"
#include "support/html.hpp"
#include "support/json_text.hpp"

namespace mnist {

extern const std::string_view kReportPage;  // report.html, embedded

namespace {

constexpr std::size_t kMistakes = 60;
constexpr std::uint64_t kLargestMetrics = std::uint64_t{1} << 30;

nlohmann::ordered_json mistakes_json(const Evaluation& evaluation, const Dataset& dataset) {
  const auto pixels = static_cast<std::size_t>(dataset.pixels());
  auto mistakes = nlohmann::ordered_json::array();
  for (const std::size_t place : evaluation.most_confident_mistakes(kMistakes)) {
    const Prediction& prediction = evaluation.predictions[place];
    mistakes.push_back({{"row", place},
                        {"truth", prediction.truth},
                        {"guess", prediction.guess},
                        {"confidence", prediction.confidence},
                        {"image", base64({&dataset.images[place * pixels], pixels})}});
  }
  return mistakes;
}

nlohmann::ordered_json calibration_json(const Evaluation& evaluation) {
  auto bins = nlohmann::ordered_json::array();
  for (const CalibrationBin& bin : evaluation.calibration()) {
    bins.push_back(
        {{"examples", bin.examples}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
  }
  return bins;
}

nlohmann::ordered_json epochs_json(const std::string& metrics) {
  auto epochs = nlohmann::ordered_json::array();
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    auto epoch = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (epoch.is_object()) epochs.push_back(std::move(epoch));
  }
  return epochs;
}

}  // namespace

std::string html_report(const EvaluationSubject& subject, const Evaluation& evaluation,
                        const Model& model, const Dataset& dataset, const std::string& metrics) {
  const Interval interval = wilson_interval(evaluation.correct(), evaluation.examples());
  nlohmann::ordered_json json = evaluation_facts(subject, evaluation);
  json["interval"] = {interval.low, interval.high};
  json["class_names"] = evaluation.class_names;
  json["calibration"] = calibration_json(evaluation);
  json["calibration_error"] = evaluation.calibration_error();
  json["mistakes"] = mistakes_json(evaluation, dataset);
  json["rows"] = dataset.rows;
  json["columns"] = dataset.columns;
  json["shape"] = to_string(model.shape);
  const std::vector<std::int8_t> levels = weight_levels(model.parameters.front());
  json["weights"] = base64({reinterpret_cast<const std::uint8_t*>(levels.data()), levels.size()});
  json["training"] = model.training;
  json["epochs"] = epochs_json(metrics);
  return page_with_data(kReportPage, json_text(json));
}

std::string html_report_of_run(const EvaluationSubject& subject, const Evaluation& evaluation,
                               const Model& model, const Dataset& dataset,
                               const std::string& run_folder) {
  std::string metrics;
  if (!run_folder.empty()) {
    const auto bytes = read_whole_file(run_folder + "/metrics.jsonl", kLargestMetrics);
    metrics.assign(bytes.begin(), bytes.end());
  }
  return html_report(subject, evaluation, model, dataset, metrics);
}

}  // namespace mnist
