// The outcome of an evaluation: the confusion matrix, the predictions, and metrics of both.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mnist {

/// A proportion with its 95 % confidence interval.
struct Interval {
  double low = 0;
  double high = 0;
};

/// Wilson's score interval (1927) for `correct` of `examples`, at 95 %.
Interval wilson_interval(std::int64_t correct, std::int64_t examples);

/// Metrics of one class; each is 0 when its denominator is.
struct ClassMetrics {
  std::string label;
  double precision = 0;      ///< fraction of the predictions of this class that are correct
  double recall = 0;         ///< fraction of the examples of this class that are predicted as it
  double f1 = 0;             ///< harmonic mean of the two
  std::int64_t support = 0;  ///< examples of this class
};

/// The network's prediction for one example.
struct Prediction {
  std::size_t truth = 0;
  std::size_t predicted = 0;
  float confidence = 0;  ///< the softmax probability of the predicted class
};

/// Predictions whose confidence lies in one tenth of 0 to 1.
struct CalibrationBin {
  std::int64_t examples = 0;
  double confidence = 0;  ///< mean
  double accuracy = 0;
};

/// The outcome of running a network over a dataset.
struct Evaluation {
  std::vector<std::string> class_names;
  /// [classes, classes]: rows are true classes, columns predicted ones.
  std::vector<std::int64_t> confusion;
  double loss = 0;                           ///< mean cross-entropy in nats
  std::vector<Prediction> predictions = {};  ///< of each example, in the dataset's order

  std::int64_t count(std::size_t truth, std::size_t predicted) const {
    return confusion[truth * class_names.size() + predicted];
  }
  std::int64_t examples() const;
  std::int64_t correct() const;
  double accuracy() const;  ///< 0 to 1
  std::vector<ClassMetrics> classes() const;

  /// Ten bins of equal width, in ascending order of confidence.
  std::vector<CalibrationBin> calibration() const;

  /// Expected calibration error (Naeini, Cooper, Hauskrecht 2015): the mean distance of confidence
  /// from accuracy over these bins, weighted by their examples.
  double calibration_error() const;

  /// Indices of wrong predictions, the most confident first; at most `count`.
  std::vector<std::size_t> most_confident_mistakes(std::size_t count) const;
};

/// The evaluation of `logits` [n, classes] for examples with these labels [n].
Evaluation make_evaluation(std::vector<std::string> class_names,
                           std::span<const std::uint8_t> labels, std::span<const float> logits);

/// "98.02 % (95 % interval 97.73 to 98.28; 9,802 of 10,000)".
std::string accuracy_text(std::int64_t correct, std::int64_t examples);
std::string accuracy_text(const Evaluation& evaluation);

}  // namespace mnist
