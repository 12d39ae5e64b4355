// Tables for humans, JSON for programs.
#include "report/evaluation_report.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "support/text.hpp"

namespace mnist {
namespace {

std::size_t longest_name(const Evaluation& evaluation) {
  std::size_t longest = std::string("class").size();
  for (const std::string& name : evaluation.class_names) longest = std::max(longest, name.size());
  return longest;
}

std::string class_table(const Evaluation& evaluation) {
  const std::size_t width = longest_name(evaluation);
  std::string text = fmt::format("\n{:<{}}  precision  recall      f1  examples\n", "class", width);
  for (const ClassFigures& figures : evaluation.classes()) {
    text += fmt::format("{:<{}}  {:>9.4f}  {:>6.4f}  {:>6.4f}  {:>8}\n", figures.label, width,
                        figures.precision, figures.recall, figures.f1, figures.support);
  }
  return text;
}

std::string confusion_table(const Evaluation& evaluation) {
  const std::size_t width = longest_name(evaluation);
  const std::size_t classes = evaluation.class_names.size();
  std::string text = "\nconfusion matrix (rows: true class, columns: predicted class)\n";
  for (std::size_t truth = 0; truth < classes; ++truth) {
    text += fmt::format("{:<{}}", evaluation.class_names[truth], width);
    for (std::size_t guess = 0; guess < classes; ++guess) {
      text += fmt::format(" {:>5}", evaluation.count(truth, guess));
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string evaluation_text(const EvaluationSubject& subject, const Evaluation& evaluation) {
  return fmt::format("model {}, {} split of {}\naccuracy {}, loss {:.4f}\n", subject.model,
                     subject.split, subject.data, accuracy_text(evaluation), evaluation.loss) +
         class_table(evaluation) + confusion_table(evaluation);
}

nlohmann::ordered_json evaluation_object(const EvaluationSubject& subject,
                                         const Evaluation& evaluation) {
  nlohmann::ordered_json json{
      {"model", subject.model},          {"data", subject.data},
      {"split", subject.split},          {"examples", evaluation.examples()},
      {"correct", evaluation.correct()}, {"accuracy", evaluation.accuracy()},
      {"loss", evaluation.loss}};
  for (const ClassFigures& figures : evaluation.classes()) {
    json["classes"].push_back({{"label", figures.label},
                               {"precision", figures.precision},
                               {"recall", figures.recall},
                               {"f1", figures.f1},
                               {"support", figures.support}});
  }
  const std::ptrdiff_t classes = std::ssize(evaluation.class_names);
  for (auto row = evaluation.confusion.begin(); row != evaluation.confusion.end(); row += classes) {
    json["confusion"].push_back(std::vector<std::int64_t>(row, row + classes));
  }
  return json;
}

std::string evaluation_json(const EvaluationSubject& subject, const Evaluation& evaluation) {
  return json_text(evaluation_object(subject, evaluation)) + '\n';
}

}  // namespace mnist
