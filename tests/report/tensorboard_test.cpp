// TFRecord framing; tests/interop reads whole event files with TensorBoard itself.
#include "report/tensorboard.hpp"

#include <csignal>
#include <sys/resource.h>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return std::distance(begin(descriptors), end(descriptors));
}

/// No file can grow past `bytes` while this object exists: writes fail with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(Crc32c, AgreesWithPublishedValues) {
  EXPECT_EQ(crc32c(to_bytes("123456789")), 0xE3069283U);
  // RFC 3720, appendix B.4.
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0)), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0xFF)), 0x62A8AB43U);
}

TEST(TensorBoard, ErrorNamesTheFileThatCannotBeCreated) {
  const TemporaryDirectory folder;
  expect_throws<Error>([&] { TensorBoardCallback(folder / "missing", Dataset(), 0); },
                       "missing/events.out.tfevents.");
}

TEST(TensorBoard, ClosesItsFileWhenTheFirstWriteFails) {
  const TemporaryDirectory folder;
  const std::ptrdiff_t before = open_descriptors();
  {
    const FileSizeLimit limit(10);
    expect_throws<Error>([&] { TensorBoardCallback(folder.path(), Dataset(), 0); },
                         "File too large");
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace mnist
