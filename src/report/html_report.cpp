// Fills the template report.html with its data.
#include "report/html_report.hpp"

#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "report/metrics_file.hpp"
#include "report/weight_levels.hpp"
#include "support/text.hpp"

namespace mnist {

extern const std::string_view kReportPage;  // report.html, embedded

namespace {

nlohmann::ordered_json mistakes_json(const Evaluation& evaluation, const Dataset& dataset) {
  const auto pixels = static_cast<std::size_t>(dataset.pixels());
  auto mistakes = nlohmann::ordered_json::array();
  for (const std::size_t index : evaluation.most_confident_mistakes(kMaxMistakesShown)) {
    const Prediction& prediction = evaluation.predictions[index];
    mistakes.push_back({{"index", index},
                        {"truth", prediction.truth},
                        {"predicted", prediction.guess},
                        {"confidence", prediction.confidence},
                        {"image", base64({&dataset.images[index * pixels], pixels})}});
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

}  // namespace

std::string html_report(const EvaluationSubject& subject, const Evaluation& evaluation,
                        const Model& model, const Dataset& dataset,
                        const std::string& run_directory) {
  const Interval interval = wilson_interval(evaluation.correct(), evaluation.examples());
  nlohmann::ordered_json json = evaluation_object(subject, evaluation);
  json["interval"] = {interval.low, interval.high};
  json["class_names"] = evaluation.class_names;
  json["calibration"] = calibration_json(evaluation);
  json["calibration_error"] = evaluation.calibration_error();
  json["mistakes"] = mistakes_json(evaluation, dataset);
  json["rows"] = dataset.rows;
  json["columns"] = dataset.columns;
  json["shape"] = to_string(model.mlp.shape());
  const std::vector<std::int8_t> levels = weight_levels(model.mlp.layers.front().weight);
  json["weights"] = base64({reinterpret_cast<const std::uint8_t*>(levels.data()), levels.size()});
  json["training"] = model.training;
  json["epochs"] = nlohmann::ordered_json::array();
  if (!run_directory.empty()) json["epochs"] = read_metrics(run_directory);
  return page_with_data(kReportPage, json_text(json));
}

}  // namespace mnist
