// The trials: each takes a few calls, which train as all others do.
#include "engine/cpu/thread_chooser.hpp"

#include <algorithm>

namespace mnist {

void ThreadChooser::add_call(double seconds, double examples) {
  if (most_ == 1 || seconds < kShortest) return;
  ++calls_;
  if (settled_) return watch(seconds / examples);
  if (calls_ > 1) fastest_ = std::min(fastest_, seconds / examples);
  if (calls_ == kCallsPerTrial) end_trial();
}

void ThreadChooser::start_trials() {
  settled_ = false;
  calls_ = 0;
  threads_ = most_;
  best_ = fastest_ = std::numeric_limits<double>::infinity();
}

void ThreadChooser::end_trial() {
  const bool faster = fastest_ < best_;
  if (faster) {
    best_ = fastest_;
    best_threads_ = threads_;
  }
  calls_ = 0;
  fastest_ = std::numeric_limits<double>::infinity();
  settled_ = !faster || threads_ == 1;
  slow_calls_ = 0;
  threads_ = settled_ ? best_threads_ : threads_ / 2;
}

void ThreadChooser::watch(double seconds_per_example) {
  slow_calls_ = seconds_per_example > kSlower * best_ ? slow_calls_ + 1 : 0;
  const bool look_again = threads_ < most_ && calls_ >= kCallsBetweenTrials;
  if (slow_calls_ >= kCallsToDoubt || look_again) start_trials();
}

}  // namespace mnist
