// Warns about overfitting, vanishing or exploding gradients, and memory growth.
#pragma once

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
  struct Epoch {
    double training_loss;
    double validation_loss;  ///< NaN without validation
    std::int64_t peak_memory_bytes;
  };
  std::string overfitting() const;
  std::string memory_growth() const;

  std::vector<Epoch> epochs_;
  std::set<std::string> warned_;  ///< the kinds already logged
};

}  // namespace mnist
