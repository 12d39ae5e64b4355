// An evaluation as an HTML page.
#pragma once

#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "report/evaluation_report.hpp"
#include "serialize/formats.hpp"

namespace mnist {

/// One self-contained HTML page: figures, confusion matrix, classes, calibration, the most
/// confident mistakes, first-layer weights as images, the training options, and, unless
/// `run_directory` is empty, the curves of its metrics.jsonl. Throws Error when that is missing.
std::string html_report(const EvaluationSubject& subject, const Evaluation& evaluation,
                        const Model& model, const Dataset& dataset,
                        const std::string& run_directory);

}  // namespace mnist
