// An evaluation as a page to look at.
#pragma once

#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "report/evaluation_report.hpp"
#include "serialize/model_info.hpp"

namespace mnist {

/// One self-contained HTML page: figures, confusion matrix, classes, calibration, the most
/// confident mistakes, first-layer weights as pictures, the options of the training, and, unless
/// `metrics` is empty, its curves. `metrics` is the text of a metrics.jsonl.
std::string html_report(const EvaluationSubject& subject, const Evaluation& evaluation,
                        const Model& model, const Dataset& dataset, const std::string& metrics);

/// html_report with the metrics of `run_folder`, or without when that is empty. Throws Error when
/// the folder has no metrics.jsonl.
std::string html_report_of_run(const EvaluationSubject& subject, const Evaluation& evaluation,
                               const Model& model, const Dataset& dataset,
                               const std::string& run_folder);

}  // namespace mnist
