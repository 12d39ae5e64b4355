// The output of mnist-eval.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mnist/evaluate/evaluation.hpp"

namespace mnist {

/// At most so many mistakes are shown as images, the most confident ones.
inline constexpr std::size_t kMaxMistakesShown = 60;

/// What was evaluated: the model's path, the data's directory or name, the split's name.
struct EvaluationSubject {
  std::string model;
  std::string data;
  std::string split;
};

/// For humans: accuracy with its interval, loss, a table of classes, the confusion matrix.
std::string evaluation_text(const EvaluationSubject& subject, const Evaluation& evaluation);

/// For programs: model, data, split, examples, correct, accuracy (0 to 1), loss,
/// classes (label, precision, recall, f1, support) and confusion (rows are true classes).
nlohmann::ordered_json evaluation_object(const EvaluationSubject& subject,
                                         const Evaluation& evaluation);

/// evaluation_object() as one line of text.
std::string evaluation_json(const EvaluationSubject& subject, const Evaluation& evaluation);

}  // namespace mnist
