// TFRecord framing; tests/interop reads whole event files with TensorBoard itself.
#include "report/tensorboard.hpp"

#include <bit>
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

/// The data of all records in the event file of `directory`, after checking their frames.
std::vector<std::string> records_in(const std::string& directory) {
  const std::string file = read_text(std::filesystem::directory_iterator(directory)->path());
  const std::vector<std::uint8_t> bytes = to_bytes(file);
  ByteReader reader(bytes);
  const auto check = [&](Bytes data) {
    // TensorFlow's "TFRecord format details": rotated right by 15 bits, plus a constant.
    const std::uint32_t crc = crc32c(data);
    EXPECT_EQ(reader.take_little_endian<std::uint32_t>(), std::rotr(crc, 15) + 0xa282ead8U);
  };
  std::vector<std::string> records;
  while (reader.remaining() > 0) {
    const Bytes length = reader.take(8);
    check(length);
    const Bytes data = reader.take(ByteReader(length).take_little_endian<std::uint64_t>());
    check(data);
    records.emplace_back(data.begin(), data.end());
  }
  return records;
}

TEST(TensorBoard, StartsASessionAfterTheLastStep) {
  const TemporaryDirectory folder;
  const TensorBoardCallback callback(folder.path(), Dataset(), 41);
  const std::vector<std::string> records = records_in(folder.path());
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(records[0].starts_with(ProtobufMessage().add_bytes(3, "brain.Event:2").bytes()));
  const auto start = ProtobufMessage().add_integer(1, 1);
  EXPECT_TRUE(
      records[1].starts_with(ProtobufMessage().add_integer(2, 42).add_message(7, start).bytes()))
      << "TensorBoard discards events from this step on";
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
