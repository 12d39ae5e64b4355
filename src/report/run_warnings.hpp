// Warns about overfitting, vanishing or exploding gradients, and memory growth.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mnist/train/callback.hpp"

namespace mnist {

/// Checks each epoch; logs each kind of warning at most once per run.
class RunWarnings : public TrainingCallback {
 public:
  void on_epoch(const EpochReport& report) override;

  /// The warnings that on_epoch() logs.
  std::vector<std::string> new_warnings(const EpochReport& report);

 private:
  // Of the previous epoch.
  double training_loss_ = 0;
  std::optional<Score> validation_;
  std::int64_t memory_ = 0;

  int epochs_ = 0;
  int diverging_epochs_ = 0;      ///< in a row, up to the last
  int growing_epochs_ = 0;        ///< in a row, up to the last
  std::int64_t warm_memory_ = 0;  ///< after the first two epochs
  std::set<std::string> warned_;  ///< the kinds already logged
};

}  // namespace mnist
