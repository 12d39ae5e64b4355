// Tables, JSON, ASCII art, and the data of the template report.html.
#include "report/results.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string_view>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "report/metrics_file.hpp"
#include "support/text.hpp"

namespace mnist {

extern const std::string_view kReportPage;  // report.html, embedded

namespace {

nlohmann::ordered_json evaluation_object(const EvalOptions& options, const Evaluation& evaluation) {
  nlohmann::ordered_json json{
      {"model", options.model},          {"data", options.data},
      {"split", name_of(options.split)}, {"examples", evaluation.examples()},
      {"correct", evaluation.correct()}, {"accuracy", evaluation.accuracy()},
      {"loss", evaluation.loss}};
  for (const ClassMetrics& metrics : evaluation.classes()) {
    json["classes"].push_back({{"label", metrics.label},
                               {"precision", metrics.precision},
                               {"recall", metrics.recall},
                               {"f1", metrics.f1},
                               {"support", metrics.support}});
  }
  const std::ptrdiff_t classes = std::ssize(evaluation.class_names);
  for (auto row = evaluation.confusion.begin(); row != evaluation.confusion.end(); row += classes) {
    json["confusion"].push_back(std::vector<std::int64_t>(row, row + classes));
  }
  return json;
}

}  // namespace

std::vector<std::int8_t> weight_levels(std::span<const float> weights) {
  float largest = 1e-30F;  // avoids dividing by zero
  for (const float value : weights) largest = std::max(largest, std::abs(value));
  std::vector<std::int8_t> levels;
  for (const float value : weights) {
    levels.push_back(static_cast<std::int8_t>(std::lround(127 * value / largest)));
  }
  return levels;
}

std::string evaluation_text(const EvalOptions& options, const Evaluation& evaluation) {
  std::size_t width = std::string("class").size();
  for (const std::string& name : evaluation.class_names) width = std::max(width, name.size());
  std::string text =
      fmt::format("model {}, {} split of {}\naccuracy {}, loss {:.4f}\n", options.model,
                  name_of(options.split), options.data, accuracy_text(evaluation), evaluation.loss);
  text += fmt::format("\n{:<{}}  precision  recall      f1  examples\n", "class", width);
  for (const ClassMetrics& metrics : evaluation.classes()) {
    text += fmt::format("{:<{}}  {:>9.4f}  {:>6.4f}  {:>6.4f}  {:>8}\n", metrics.label, width,
                        metrics.precision, metrics.recall, metrics.f1, metrics.support);
  }
  text += "\nconfusion matrix (rows: true class, columns: predicted class)\n";
  const std::size_t classes = evaluation.class_names.size();
  for (std::size_t truth = 0; truth < classes; ++truth) {
    text += fmt::format("{:<{}}", evaluation.class_names[truth], width);
    for (std::size_t predicted = 0; predicted < classes; ++predicted) {
      text += fmt::format(" {:>5}", evaluation.count(truth, predicted));
    }
    text += '\n';
  }
  return text;
}

std::string evaluation_json(const EvalOptions& options, const Evaluation& evaluation) {
  return json_text(evaluation_object(options, evaluation)) + '\n';
}

std::string html_report(const EvalOptions& options, const Evaluation& evaluation,
                        const Model& model, const Dataset& dataset) {
  const Interval interval = wilson_interval(evaluation.correct(), evaluation.examples());
  nlohmann::ordered_json json = evaluation_object(options, evaluation);
  json["interval"] = {interval.low, interval.high};
  json["class_names"] = evaluation.class_names;
  for (const CalibrationBin& bin : evaluation.calibration()) {
    json["calibration"].push_back(
        {{"examples", bin.examples}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
  }
  json["calibration_error"] = evaluation.calibration_error();
  json["mistakes"] = nlohmann::ordered_json::array();
  for (const std::size_t index : evaluation.most_confident_mistakes(kMaxMistakesShown)) {
    const Prediction& prediction = evaluation.predictions[index];
    json["mistakes"].push_back(
        {{"index", index},
         {"truth", prediction.truth},
         {"predicted", prediction.predicted},
         {"confidence", prediction.confidence},
         {"image", base64(dataset.image(static_cast<std::int64_t>(index)))}});
  }
  json["rows"] = dataset.rows;
  json["columns"] = dataset.columns;
  json["shape"] = to_string(model.mlp.shape());
  const std::vector<std::int8_t> levels = weight_levels(model.mlp.layers.front().weight);
  json["weights"] = base64(bytes_of(levels));
  json["training"] = model.training;
  json["epochs"] = nlohmann::ordered_json::array();
  if (!options.run_dir.empty()) json["epochs"] = read_metrics(options.run_dir);
  return page_with_data(kReportPage, json_text(json));
}

std::vector<ClassProbability> ranked(std::span<const float> probabilities,
                                     const std::vector<std::string>& class_names) {
  std::vector<ClassProbability> ranking;
  for (std::size_t k = 0; k < class_names.size(); ++k) {
    ranking.push_back({class_names[k], static_cast<double>(probabilities[k])});
  }
  std::ranges::stable_sort(ranking, std::greater{}, &ClassProbability::probability);
  return ranking;
}

std::string prediction_text(const std::string& image,
                            const std::vector<ClassProbability>& ranking) {
  constexpr std::array<const char*, 3> kSeparators{": ", ", then ", ", "};
  std::string text = image;
  for (std::size_t k = 0; k < std::min(kSeparators.size(), ranking.size()); ++k) {
    text += fmt::format("{}{} ({:.1f} %)", kSeparators[k], ranking[k].label,
                        100 * ranking[k].probability);
  }
  return text + "\n";
}

std::string prediction_json(const std::string& image,
                            const std::vector<ClassProbability>& ranking) {
  nlohmann::ordered_json json{{"image", image},
                              {"class", ranking.front().label},
                              {"probability", ranking.front().probability}};
  for (const ClassProbability& entry : ranking) {
    json["classes"].push_back({{"label", entry.label}, {"probability", entry.probability}});
  }
  return json_text(json) + "\n";
}

std::string drawing(std::span<const std::uint8_t> image, std::int64_t side) {
  constexpr std::string_view kShades = " .:-=+*#%@";
  std::string text;
  for (std::size_t i = 0; i < image.size(); ++i) {
    text.append(2, kShades[image[i] * kShades.size() / 256]);
    if ((i + 1) % static_cast<std::size_t>(side) == 0) {
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
    }
  }
  return text;
}

}  // namespace mnist
