// What changes over a run: learning rate, order of the examples, strength of augmentation.
#pragma once

#include <cstdint>

#include "mnist/support/enum_names.hpp"

namespace mnist {

struct TrainOptions;

/// How the learning rate changes over a run; see learning_rate().
enum class Schedule { kConstant, kStep, kCosine, kOneCycle };
template <>
inline constexpr Names<4> kEnumNames<Schedule>{"constant", "step", "cosine", "one-cycle"};

/// Whether each epoch visits the examples in a new random order or in the order of the file.
enum class Order { kShuffled, kFixed };
template <>
inline constexpr Names<2> kEnumNames<Order>{"shuffled", "fixed"};

/// The learning rate of step `step`, counted from 0, of a run of `options.epochs` epochs with
/// `steps_of_epoch` steps each. A pure function of its arguments:
/// - constant: lr.
/// - step: lr, multiplied by step_factor every step_epochs epochs (StepLR).
/// - cosine: from lr down to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts).
/// - one-cycle: from lr / 25 up to lr during the first 30 % of the run, then down to lr / 250,000,
///   both along half a cosine (Smith and Topin 2018, with the defaults of PyTorch's OneCycleLR).
/// Warmup is linear; the cosine starts after it.
double learning_rate(const TrainOptions& options, std::int64_t step, std::int64_t steps_of_epoch);

/// The strength of augmentation in `epoch`, from 1 to options.epochs: 1, then decreasing linearly
/// to 0 at the end of the run, with --fade-augment. Evaluated at the middle of the epoch.
double augment_strength(const TrainOptions& options, std::int64_t epoch);

}  // namespace mnist
