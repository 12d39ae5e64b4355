// SIGINT, SIGTERM and SIGHUP: they end the program, but not in the middle of something.
#pragma once

namespace mnist {

/// From now on these signals end the program with exit code 128 + N: at once, unless a StopDelay
/// lives. One that was ignored when the program started, as nohup does, stays ignored.
void watch_stop_signals();

/// While one lives, the first stop signal waits; a second one ends the program at once. When the
/// last one goes and a signal is waiting, the program ends there and then.
class StopDelay {
 public:
  StopDelay();
  ~StopDelay();
  StopDelay(const StopDelay&) = delete;
  StopDelay& operator=(const StopDelay&) = delete;
};

/// The signal that waits for the end of the last StopDelay; 0 when there is none.
int waiting_stop_signal();

}  // namespace mnist
