// Orderly exit on SIGINT, SIGTERM and SIGHUP.
#pragma once

namespace mnist {

/// From now on, these signals end the program with exit code 128 + N: immediately, unless a
/// StopDelay exists. Signals that are already ignored, as under nohup, stay ignored.
void watch_stop_signals();

/// While one exists, the first stop signal stays pending and a second one exits immediately. The
/// destructor of the last one exits the program if a signal is pending.
class StopDelay {
 public:
  StopDelay();
  ~StopDelay();
  StopDelay(const StopDelay&) = delete;
  StopDelay& operator=(const StopDelay&) = delete;
};

/// The pending stop signal, or 0.
int pending_stop_signal();

}  // namespace mnist
