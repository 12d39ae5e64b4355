// TFRecord frames; that TensorBoard reads them is tested with TensorBoard itself.
#include "report/event_file.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(Crc32c, AgreesWithPublishedValues) {
  EXPECT_EQ(crc32c(to_bytes("123456789")), 0xE3069283U);
  // RFC 3720, appendix B.4.
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0)), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0xFF)), 0x62A8AB43U);
}

TEST(EventFile, NamesTheFileThatCannotBeMade) {
  const TemporaryFolder folder;
  expect_throws<Error>([&] { EventFile file(folder / "missing"); }, "missing/events.out.tfevents.");
}

}  // namespace
}  // namespace mnist
