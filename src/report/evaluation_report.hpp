// What mnist-eval prints.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mnist/evaluate/evaluation.hpp"

namespace mnist {

/// What was evaluated.
struct EvaluationSubject {
  std::string model;
  std::string data;
  std::string split;
};

/// For people: accuracy with its interval, loss, a table of classes, the confusion matrix.
std::string evaluation_text(const EvaluationSubject& subject, const Evaluation& evaluation);

/// For programs: model, data, split, examples, correct, accuracy (0 to 1), loss,
/// classes (label, precision, recall, f1, support) and confusion (rows are true classes).
nlohmann::ordered_json evaluation_facts(const EvaluationSubject& subject,
                                        const Evaluation& evaluation);

/// These facts as one object in one line.
std::string evaluation_json(const EvaluationSubject& subject, const Evaluation& evaluation);

}  // namespace mnist
