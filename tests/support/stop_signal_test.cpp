// Signals that end the program: at once, after what is in hand, and the second time at once.
#include "support/stop_signal.hpp"

#include <csignal>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace mnist {
namespace {

/// The exit code of a process that watches for signals and then does this; 255 for death by one.
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

TEST(StopSignal, EndsTheProgramAtOnce) {
  EXPECT_EQ(exit_code_of([] {}), 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(exit_code_of([=] { ::raise(signal); }), 128 + signal);
  }
}

TEST(StopSignal, WaitsForWhatIsInHand) {
  int done[2];
  ASSERT_EQ(::pipe(done), 0);
  const int code = exit_code_of([&] {
    const StopDelay outer;
    {
      const StopDelay inner;
      ::raise(SIGTERM);
    }
    if (waiting_stop_signal() == SIGTERM && ::write(done[1], "x", 1) != 1) ::_exit(1);
  });
  EXPECT_EQ(code, 128 + SIGTERM);
  char byte = 0;
  ::close(done[1]);
  EXPECT_EQ(::read(done[0], &byte, 1), 1) << "the work was cut off";
}

TEST(StopSignal, DoesNotWaitTheSecondTime) {
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
