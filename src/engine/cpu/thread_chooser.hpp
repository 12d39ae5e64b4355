// Finds out how many threads train fastest.
#pragma once

#include <limits>
#include <vector>

namespace mnist {

/// Chooses a number of threads by the speed of successive calls of Engine::train. Two threads are
/// slower than one where their cores are far apart, or where something else needs one of them; and
/// both can change during a run. So it tries the largest number first, then halves as long as
/// that is faster, and tries again when training has become slower, or when a while has passed on
/// fewer threads than there are.
class ThreadChooser {
 public:
  /// `most`: threads to try at first, at least 1.
  explicit ThreadChooser(int most) : most_(most), threads_(most), best_threads_(most) {}

  /// The number for the next call.
  int threads() const { return threads_; }

  /// Tells how long the last call took. Short calls say nothing and are ignored.
  void add_call(double seconds, double examples);

 private:
  void start_trials();
  void end_trial();
  void watch(double seconds_per_example);

  static constexpr double kShortest = 0.002;  ///< seconds of a call
  static constexpr int kCallsPerTrial = 4;    ///< the first after a change runs on cold caches
  static constexpr double kSlower = 1.3;      ///< than in its trial, for kCallsToDoubt calls
  static constexpr int kCallsToDoubt = 8;
  static constexpr int kCallsBetweenTrials =
      200;  ///< on fewer threads than there are: some seconds

  const int most_;
  int threads_;
  bool settled_ = false;
  int calls_ = 0;  ///< of this trial, or since the last one
  int slow_calls_ = 0;
  double fastest_ = std::numeric_limits<double>::infinity();  ///< seconds per example in this trial
  int best_threads_;
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace mnist
