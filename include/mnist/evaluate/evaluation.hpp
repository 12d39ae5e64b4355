// What an evaluation found: counts, and the figures that follow from them.
#pragma once

#include <cstdint>
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

/// Figures of one class; each is 0 when its denominator is.
struct ClassFigures {
  std::string label;
  double precision = 0;      ///< right guesses of all guesses of this class
  double recall = 0;         ///< right guesses of all examples of this class
  double f1 = 0;             ///< harmonic mean of the two
  std::int64_t support = 0;  ///< examples of this class
};

/// The outcome of running a network over a set.
struct Evaluation {
  std::vector<std::string> class_names;
  /// [classes, classes]: row is the true class, column the guess.
  std::vector<std::int64_t> confusion;
  double loss = 0;  ///< mean cross-entropy in nats

  std::int64_t count(std::size_t truth, std::size_t guess) const {
    return confusion[truth * class_names.size() + guess];
  }
  std::int64_t examples() const;
  std::int64_t correct() const;
  double accuracy() const;  ///< 0 to 1
  std::vector<ClassFigures> classes() const;
};

}  // namespace mnist
