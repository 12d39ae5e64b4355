// ThreadTeam on atomics: workers spin for a while, then yield or sleep.
#include "support/thread_team.hpp"

#include <string>
#include <system_error>

#include "mnist/support/error.hpp"
#include "support/machine.hpp"

namespace mnist {
namespace {

// About 50 microseconds: longer than any imbalance within a step, shorter than a time slice.
constexpr int kSpins = 2000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadTeam::ThreadTeam(int size)
    : size_(size), spins_(size <= available_processors() ? kSpins : 0) {
  threads_.reserve(static_cast<std::size_t>(size));
  try {
    for (int index = 1; index < size; ++index) {
      threads_.emplace_back([this, index] { serve(index); });
    }
  } catch (const std::system_error& error) {
    const std::string started = std::to_string(threads_.size() + 1);
    end();
    throw Error("only " + started + " of " + std::to_string(size) + " threads could be started: " +
                error.code().message() + "; use fewer with --threads");
  }
}

void ThreadTeam::end() {
  ending_ = true;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::run(const std::function<void(int)>& work) {
  work_ = &work;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  work(0);
  barrier();  // serve() reaches it when a thread's work is done
}

void ThreadTeam::barrier() {
  const std::uint32_t phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    return;
  }
  for (int spin = 0; phase_.load(std::memory_order_acquire) == phase; ++spin) {
    spin < spins_ ? pause() : std::this_thread::yield();
  }
}

void ThreadTeam::serve(int index) {
  std::uint32_t seen = 0;
  while (true) {
    for (int spin = 0; spin < spins_ && generation_.load(std::memory_order_acquire) == seen;
         ++spin) {
      pause();
    }
    generation_.wait(seen, std::memory_order_acquire);
    ++seen;
    if (ending_) return;
    (*work_)(index);
    barrier();
  }
}

}  // namespace mnist
