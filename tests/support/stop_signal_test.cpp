// Exit codes of processes that get stop signals, with and without a StopDelay.
#include "support/stop_signal.hpp"

#include <csignal>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace mnist {
namespace {

/// The exit code of a child that watches for signals and runs `action`; 255 if a signal killed it.
int exit_code_of(const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    watch_stop_signals();
    action();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST(StopSignal, ExitsImmediately) {
  EXPECT_EQ(exit_code_of([] {}), 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(exit_code_of([=] { ::raise(signal); }), 128 + signal);
  }
}

TEST(StopSignal, WaitsForTheLastDelay) {
  int done[2];
  ASSERT_EQ(::pipe(done), 0);
  const int code = exit_code_of([&] {
    const StopDelay outer;
    {
      const StopDelay inner;
      ::raise(SIGTERM);
    }
    if (pending_stop_signal() == SIGTERM && ::write(done[1], "x", 1) != 1) ::_exit(1);
  });
  EXPECT_EQ(code, 128 + SIGTERM);
  char byte = 0;
  ::close(done[1]);
  EXPECT_EQ(::read(done[0], &byte, 1), 1) << "the child exited before its write";
}

TEST(StopSignal, DoesNotDelayTheSecondSignal) {
  EXPECT_EQ(exit_code_of([] {
              const StopDelay delay;
              ::raise(SIGTERM);
              ::raise(SIGINT);
              ::_exit(1);
            }),
            128 + SIGINT);
}

TEST(StopSignal, StaysIgnoredUnderNohup) {
  ::signal(SIGHUP, SIG_IGN);
  EXPECT_EQ(exit_code_of([] { ::raise(SIGHUP); }), 0);
  ::signal(SIGHUP, SIG_DFL);
}

}  // namespace
}  // namespace mnist
