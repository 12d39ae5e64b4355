// One owner at a time, and no stale locks of killed owners.
#include "support/file_lock.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(FileLock, HasOneOwnerAtATime) {
  const TemporaryFolder folder;
  const std::string pid = std::to_string(::getpid());
  {
    const FileLock lock(folder / "lock");
    EXPECT_EQ(read_text(folder / "lock"), pid);
    expect_throws<UsageError>([&] { FileLock second(folder / "lock"); },
                              "lock: is locked by process " + pid + "; ");
  }
  const FileLock again(folder / "lock");
}

TEST(FileLock, IsReleasedWhenItsOwnerIsKilled) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(folder / "lock");
    if (::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THROW(FileLock second(folder / "lock"), UsageError);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const FileLock lock(folder / "lock");
}

TEST(FileLock, SaysWhyItCannotBeOpened) {
  expect_throws<Error>([] { FileLock lock("/none/lock"); },
                       "/none/lock: cannot be opened: No such");
}

}  // namespace
}  // namespace mnist
