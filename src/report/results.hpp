// The output of mnist-eval and mnist-predict: text, JSON, and an HTML report.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluation.hpp"
#include "mnist/serialize/model_file.hpp"
#include "options/program_options.hpp"

namespace mnist {

/// The largest number of mistakes shown as images; the most confident ones are chosen.
inline constexpr std::size_t kMaxMistakesShown = 60;

/// Weights scaled to i8, in the same order: the largest magnitude becomes 127 or -127, 0 stays 0.
std::vector<std::int8_t> weight_levels(std::span<const float> weights);

/// Accuracy with its interval, loss, a table of classes, the confusion matrix.
std::string evaluation_text(const EvalOptions& options, const Evaluation& evaluation);

/// One line: model, data, split, examples, correct, accuracy (0 to 1), loss, classes (label,
/// precision, recall, f1, support) and confusion (rows are true classes).
std::string evaluation_json(const EvalOptions& options, const Evaluation& evaluation);

/// One self-contained HTML page: metrics, confusion matrix, classes, calibration, the most
/// confident mistakes, first-layer weights as images, the training options, and, with --run-dir,
/// the curves of its metrics.jsonl. Throws Error when that is missing.
std::string html_report(const EvalOptions& options, const Evaluation& evaluation,
                        const Model& model, const Dataset& dataset);

struct ClassProbability {
  std::string label;
  double probability = 0;  ///< 0 to 1
};

/// All classes, the most probable first; ties keep their order.
std::vector<ClassProbability> ranked(std::span<const float> probabilities,
                                     const std::vector<std::string>& class_names);

/// "three.png: 3 (98.2 %), then 8 (1.1 %), 5 (0.4 %)": the top three.
std::string prediction_text(const std::string& image, const std::vector<ClassProbability>& ranking);

/// One line: image, class, probability, and classes (label, probability), most probable first.
std::string prediction_json(const std::string& image, const std::vector<ClassProbability>& ranking);

/// ASCII art of an image, u8 [side, side]: two characters per pixel, denser for brighter ones.
std::string drawing(std::span<const std::uint8_t> image, std::int64_t side);

}  // namespace mnist
