// Files that cannot be read, atomic replacement, and locks of killed owners.
#include "support/files.hpp"

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(InputFile, SaysWhyItCannotBeOpened) {
  const TemporaryDirectory folder;
  expect_throws<Error>([&] { InputFile file(folder / "none"); }, "cannot be opened: No such");
  expect_throws<Error>([&] { InputFile file(folder.path()); }, "is a directory, expected a file");
  expect_throws<Error>([&] { InputFile file("/dev/null"); }, "is not a regular file");
}

TEST(InputFile, HasALimitForWholeFiles) {
  const TemporaryDirectory folder;
  write_bytes(folder / "a", {1, 2, 3});
  EXPECT_EQ(read_whole_file(folder / "a", 3), (std::vector<std::uint8_t>{1, 2, 3}));
  expect_throws<Error>([&] { read_whole_file(folder / "a", 2); },
                       "/a: has 3 bytes, expected at most 2");
  expect_throws<Error>([&] { read_whole_file(folder / "b", 2); }, "/b: cannot be opened: No such");
}

std::size_t count_files(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory),
                                                std::filesystem::directory_iterator()));
}

TEST(AtomicFile, WritesAndReplaces) {
  const TemporaryDirectory folder;
  write_file_atomically(folder / "a", std::string_view("one"));
  EXPECT_EQ(read_text(folder / "a"), "one");
  write_file_atomically(folder / "a", std::string_view("another"));
  EXPECT_EQ(read_text(folder / "a"), "another");
  EXPECT_EQ(count_files(folder.path()), 1U);
}

TEST(AtomicFile, ReportsAWriteThatStopsHalfWay) {
  const TemporaryDirectory folder;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit ten_bytes{10, before.rlim_max};  // the first write is short, the second one fails
  ::setrlimit(RLIMIT_FSIZE, &ten_bytes);
  expect_throws<Error>([&] { write_file_atomically(folder / "a", std::string(20, 'x')); },
                       "writing failed: File too large");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(count_files(folder.path()), 0U);
}

TEST(AtomicFile, KeepsFilesUnderASecondNameAndNothingElse) {
  const TemporaryDirectory folder;
  keep_file_as(folder / "none", folder / "copy");
  EXPECT_EQ(count_files(folder.path()), 0U);
  write_bytes(folder / "a", {1});
  for (int i = 0; i < 2; ++i) {
    keep_file_as(folder / "a", folder / "copy");
    EXPECT_EQ(count_files(folder.path()), 2U);
    EXPECT_EQ(read_text(folder / "copy"), "\1");
  }
}

TEST(AtomicFile, FollowsTheUmask) {
  const TemporaryDirectory folder;
  const mode_t before = ::umask(027);
  write_file_atomically(folder / "a", std::string_view("x"));
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST(AtomicFile, FailureLeavesNoTemporaryFile) {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "taken");
  write_bytes(folder / "taken/inside", {1});
  expect_throws<Error>([&] { write_file_atomically(folder / "taken", std::string_view("x")); },
                       "taken: cannot be written: renaming failed");
  EXPECT_EQ(count_files(folder.path()), 1U);
  EXPECT_TRUE(std::filesystem::exists(folder / "taken/inside"));
}

TEST(AtomicFile, CheckChangesNothing) {
  const TemporaryDirectory folder;
  write_bytes(folder / "old", {1, 2, 3});
  check_file_can_be_written(folder / "old");
  check_file_can_be_written(folder / "new");
  EXPECT_EQ(count_files(folder.path()), 1U);
  EXPECT_EQ(read_text(folder / "old"), "\1\2\3");
}

TEST(AtomicFile, CheckRejectsDirectoriesAndMissingDirectories) {
  const TemporaryDirectory folder;
  expect_throws<UsageError>([&] { check_file_can_be_written(folder.path()); }, "is a directory");
  expect_throws<UsageError>([&] { check_file_can_be_written(folder / "none/model.pt"); },
                            "there is no directory");
  expect_throws<UsageError>([&] { check_file_can_be_written("/proc/model.pt"); },
                            "cannot be written");
}

TEST(FileLock, HasOneOwnerAtATime) {
  const TemporaryDirectory folder;
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
  const TemporaryDirectory folder;
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
