// Times the phases of a step, for --profile.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <iterator>

namespace mnist {

/// The phases of a step, in the order of the profile.
enum class Phase {
  kFirstForward,
  kForward,
  kLoss,
  kImages,
  kBackwardInput,
  kFirstUpdate,
  kUpdate,
  kBarriers,
  kExchange
};

/// What `mnist-train --profile` calls them.
inline constexpr const char* kPhaseNames[] = {"first layer, forward",
                                              "other layers, forward",
                                              "loss",
                                              "next images",
                                              "gradients of units",
                                              "first layer, gradients and Adam",
                                              "other layers, gradients and Adam",
                                              "waiting for other threads",
                                              "exchange of gradients"};

/// Adds up the time of each phase of one thread. Off, it costs a branch.
class PhaseClock {
 public:
  void start(bool on) {
    on_ = on;
    if (on_) last_ = Clock::now();
  }

  /// The time since the last call, or since the start, was spent on `phase`.
  void end(Phase phase) {
    if (!on_) return;
    const Clock::time_point now = Clock::now();
    seconds_[static_cast<std::size_t>(phase)] += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

  double seconds(std::size_t phase) const { return seconds_[phase]; }

 private:
  using Clock = std::chrono::steady_clock;
  bool on_ = false;
  Clock::time_point last_;
  std::array<double, std::size(kPhaseNames)> seconds_{};
};

}  // namespace mnist
