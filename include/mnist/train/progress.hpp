// Where a training run stands between two minibatches.
#pragma once

#include <cstdint>
#include <optional>

#include "mnist/model/state_dict.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/train/callback.hpp"

namespace mnist {

/// The best epoch so far, by validation.
struct BestEpoch {
  std::int64_t epoch = 0;
  Score validation;
  StateDict parameters;
};

/// All that the loop knows and that does not follow from the options. With the engine's state it is
/// everything that a run needs to go on as if it had never been stopped.
struct Progress {
  std::int64_t epoch = 1;         ///< that is being trained, from 1
  std::int64_t minibatches = 0;   ///< of it that are done
  std::int64_t step = 0;          ///< optimisation steps of the run
  double loss_sum = 0;            ///< over the epoch's examples so far
  std::int64_t correct = 0;       ///< of them
  double first_batch_loss = 0;    ///< of the epoch
  double last_batch_loss = 0;     ///< of the run
  double learning_rate = 0;       ///< of the last step
  double seconds = 0;             ///< that the epoch has taken so far
  std::optional<BestEpoch> best;  ///< with early stopping
};

/// Whether nothing is left to train: all epochs are over, or `options.patience` of them brought no
/// better validation accuracy (of equal ones, the lower loss is better).
inline bool is_over(const TrainOptions& options, const Progress& progress) {
  const std::int64_t done = progress.epoch - 1;
  const bool patience_is_over =
      options.patience > 0 && progress.best && done - progress.best->epoch >= options.patience;
  return done >= options.epochs || patience_is_over;
}

}  // namespace mnist
