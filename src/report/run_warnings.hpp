// Warns of what a person at the curves would notice: overfitting, gradients that vanish or explode,
// memory that grows.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "mnist/train/callback.hpp"

namespace mnist {

/// Looks at each epoch and warns, once a run for each kind of trouble.
class RunWarnings : public RunObserver {
 public:
  void on_epoch(const EpochReport& report) override;

  /// What on_epoch warns of.
  std::vector<std::string> new_warnings(const EpochReport& report);

 private:
  /// What is kept of an epoch.
  struct Figures {
    double training_loss;
    double validation_loss;  ///< NaN without validation
    std::int64_t peak_memory_bytes;
  };
  std::string overfitting() const;
  std::string memory_growth() const;

  std::vector<Figures> epochs_;
  std::set<std::string> warned_of_;
};

}  // namespace mnist
