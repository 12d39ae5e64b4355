// The progress of a training run between two minibatches.
#pragma once

#include <cstdint>
#include <optional>

#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/train/callback.hpp"

namespace mnist {

/// The best epoch so far, by validation.
struct BestEpoch {
  std::int64_t epoch = 0;
  Score validation;
  Mlp mlp;
};

/// The part of the training loop's state that does not follow from the options. Together with the
/// engine's state it is all that a run needs to resume with bitwise identical results.
struct Progress {
  std::int64_t epoch = 1;         ///< the current epoch, from 1
  std::int64_t minibatches = 0;   ///< done in it
  std::int64_t step = 0;          ///< optimization steps of the run
  double loss_sum = 0;            ///< over the epoch's examples so far
  std::int64_t correct = 0;       ///< among them
  double first_batch_loss = 0;    ///< of the epoch
  double last_batch_loss = 0;     ///< of the run
  double learning_rate = 0;       ///< of the last step
  double seconds = 0;             ///< spent on the epoch so far
  std::optional<BestEpoch> best;  ///< with early stopping
  double run_seconds = 0;         ///< spent on the epochs before
};

/// Whether the run is complete: all epochs are done, or the last `options.patience` of them did not
/// improve the validation accuracy (ties are broken by the loss).
inline bool is_over(const TrainOptions& options, const Progress& progress) {
  const std::int64_t done = progress.epoch - 1;
  const bool out_of_patience =
      options.patience > 0 && progress.best && done - progress.best->epoch >= options.patience;
  return done >= options.epochs || out_of_patience;
}

}  // namespace mnist
