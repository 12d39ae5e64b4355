// An evaluation as an HTML page.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "report/evaluation_report.hpp"
#include "serialize/model_info.hpp"

namespace mnist {

/// One self-contained HTML page: figures, confusion matrix, classes, calibration, the most
/// confident mistakes, first-layer weights as images, the training options, and the curves of
/// `epochs` (see parse_metrics()) unless there are none.
std::string html_report(const EvaluationSubject& subject, const Evaluation& evaluation,
                        const Model& model, const Dataset& dataset,
                        const std::vector<nlohmann::ordered_json>& epochs);

/// html_report() with the epochs of `run_directory`, or with none when that is empty. Throws Error
/// when the directory has no metrics.jsonl.
std::string html_report_of_run(const EvaluationSubject& subject, const Evaluation& evaluation,
                               const Model& model, const Dataset& dataset,
                               const std::string& run_directory);

}  // namespace mnist
