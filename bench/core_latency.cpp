// Prints the median one-way latency, in nanoseconds, of a cache line that two cores pass back and
// forth. Threads that train together cannot exchange data faster; on virtual machines it varies
// with where the host places the cores. With LINES, each core also changes that many other cache
// lines before it passes the first one: their latencies overlap, so that each takes a fraction of
// it.
//
// usage: core_latency [CORE CORE [LINES]]
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sched.h>
#include <thread>
#include <vector>

namespace {

constexpr int kRounds = 21;
constexpr int kRoundTrips = 20'000;

/// A counter on a cache line of its own.
struct alignas(64) SharedLine {
  std::atomic<int> writes{0};
};

/// What each side changes in its turn.
struct alignas(64) Line {
  int changes = 0;
};

void pin_to(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    std::cerr << "core_latency: core " << core << " is not available\n";
    std::exit(1);
  }
}

/// One side of the ping-pong: waits until the counter is `first`, `first` + 2 and so on, changes
/// the lines, and increments it each time.
void ping_pong(SharedLine& shared, std::vector<Line>& lines, int first) {
  for (int turn = first; turn < 2 * kRoundTrips; turn += 2) {
    while (shared.writes.load(std::memory_order_acquire) != turn) {
    }
    for (Line& line : lines) ++line.changes;
    shared.writes.store(turn + 1, std::memory_order_release);
  }
}

double one_way_nanoseconds(int core, int other, std::size_t line_count) {
  SharedLine shared;
  std::vector<Line> lines(line_count);
  std::atomic<bool> ready{false};
  std::thread responder([&] {
    pin_to(other);
    ready = true;
    ping_pong(shared, lines, 1);
  });
  pin_to(core);
  while (!ready) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  ping_pong(shared, lines, 0);
  responder.join();
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / (2 * kRoundTrips);
}

}  // namespace

int main(int argc, char** argv) {
  const int core = argc >= 3 ? std::atoi(argv[1]) : 0;
  const int other = argc >= 3 ? std::atoi(argv[2]) : 1;
  const std::size_t lines = argc == 4 ? std::strtoul(argv[3], nullptr, 10) : 0;
  if (core == other) {
    std::cerr << "core_latency: needs two different cores\n";
    return 1;
  }
  std::array<double, kRounds> rounds{};
  for (double& round : rounds) round = one_way_nanoseconds(core, other, lines);
  std::sort(rounds.begin(), rounds.end());
  std::cout << rounds[kRounds / 2] << std::endl;
}
