// Atomic replacement of files, and the check before it.
#include "support/atomic_file.hpp"

#include <sys/stat.h>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

std::size_t count_files(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory),
                                                std::filesystem::directory_iterator()));
}

TEST(AtomicFile, WritesAndReplaces) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", std::string_view("one"));
  EXPECT_EQ(read_text(folder / "a"), "one");
  write_file_atomically(folder / "a", std::string_view("another"));
  EXPECT_EQ(read_text(folder / "a"), "another");
  EXPECT_EQ(count_files(folder.path()), 1U);
}

TEST(AtomicFile, FollowsTheUmask) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file_atomically(folder / "a", std::string_view("x"));
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST(AtomicFile, FailureLeavesNoTemporaryFile) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "taken");
  write_bytes(folder / "taken/inside", {1});
  expect_throws<Error>([&] { write_file_atomically(folder / "taken", std::string_view("x")); },
                       "taken: cannot be written: renaming failed");
  EXPECT_EQ(count_files(folder.path()), 1U);
  EXPECT_TRUE(std::filesystem::exists(folder / "taken/inside"));
}

TEST(AtomicFile, CheckChangesNothing) {
  const TemporaryFolder folder;
  write_bytes(folder / "old", {1, 2, 3});
  check_file_can_be_written(folder / "old");
  check_file_can_be_written(folder / "new");
  EXPECT_EQ(count_files(folder.path()), 1U);
  EXPECT_EQ(read_text(folder / "old"), "\1\2\3");
}

TEST(AtomicFile, CheckRejectsDirectoriesAndMissingDirectories) {
  const TemporaryFolder folder;
  expect_throws<UsageError>([&] { check_file_can_be_written(folder.path()); }, "is a directory");
  expect_throws<UsageError>([&] { check_file_can_be_written(folder / "none/model.pt"); },
                            "there is no directory");
  expect_throws<UsageError>([&] { check_file_can_be_written("/proc/model.pt"); },
                            "cannot be written");
}

}  // namespace
}  // namespace mnist
