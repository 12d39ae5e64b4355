// A few threads that work in step: one parallel region at a time, with spinning barriers inside.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace mnist {

/// A team of `size` threads, the caller of run() among them. Barriers cost well under a microsecond
/// while every thread has a processor, and give way to others when not.
class ThreadTeam {
 public:
  /// Throws Error when the system does not give so many threads.
  explicit ThreadTeam(int size);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return size_; }

  /// Calls work(0) here and work(1) ... work(size - 1) on the other threads; returns when all have.
  /// `work` must not throw, and all threads must meet the same barriers.
  void run(const std::function<void(int)>& work);

  /// Called by every thread within work(): returns when all have called it.
  void barrier();

 private:
  void serve(int index);
  void end();

  static constexpr std::size_t kCacheLine = 64;

  const int size_;
  const int spins_;  ///< how often to look before giving the processor to someone else
  alignas(kCacheLine) std::atomic<int> arrived_{0};
  alignas(kCacheLine) std::atomic<std::uint32_t> phase_{0};
  alignas(kCacheLine) std::atomic<std::uint32_t> generation_{0};  ///< counts the calls of run()
  const std::function<void(int)>* work_ = nullptr;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mnist
