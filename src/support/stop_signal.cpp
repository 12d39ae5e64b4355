// Handlers for SIGINT, SIGTERM and SIGHUP.
#include "support/stop_signal.hpp"

#include <atomic>
#include <csignal>
#include <initializer_list>
#include <unistd.h>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

// Signal handlers can only use globals, and of those only lock-free atomics are safe.
std::atomic<int> pending{0};
std::atomic<int> delays{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_stop_signal(int signal) {
  const int earlier = pending.exchange(signal);
  if (earlier != 0 || delays.load() == 0) ::_exit(kExitSignalBase + signal);
}

}  // namespace

void watch_stop_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction found{};
    if (::sigaction(signal, nullptr, &found) == 0 && found.sa_handler == SIG_IGN) continue;
    struct sigaction action{};
    action.sa_handler = on_stop_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(signal, &action, nullptr);
  }
}

StopDelay::StopDelay() {
  delays.fetch_add(1);
}

StopDelay::~StopDelay() {
  if (delays.fetch_sub(1) == 1 && pending.load() != 0) ::_exit(kExitSignalBase + pending.load());
}

int pending_stop_signal() {
  return pending.load();
}

}  // namespace mnist
