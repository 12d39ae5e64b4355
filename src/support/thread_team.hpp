// A small thread pool: one parallel region at a time, with spinning barriers inside.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace mnist {

/// `size` threads, including the caller of run(). Barriers take well under a microsecond while
/// every thread has a CPU of its own; with more threads than CPUs they yield instead of spinning.
class ThreadTeam {
 public:
  /// Throws Error if the system cannot start that many threads.
  explicit ThreadTeam(int size);
  ~ThreadTeam() { end(); }
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return size_; }

  /// Runs work(0) on this thread and work(1) to work(size - 1) on the others; returns when all have
  /// returned. `work` must not throw, and all threads must reach the same barriers.
  void run(const std::function<void(int)>& work);

  /// For threads inside work(): returns when all of them have called it.
  void barrier();

 private:
  void serve(int index);
  void end();

  static constexpr std::size_t kCacheLine = 64;

  const int size_;
  const int spins_;  ///< polls before a waiting thread yields
  alignas(kCacheLine) std::atomic<int> arrived_{0};
  alignas(kCacheLine) std::atomic<std::uint32_t> phase_{0};
  alignas(kCacheLine) std::atomic<std::uint32_t> generation_{0};  ///< counts the calls of run()
  const std::function<void(int)>* work_ = nullptr;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mnist
