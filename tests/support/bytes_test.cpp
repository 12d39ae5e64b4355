// Bounds-checked parsing.
#include "support/bytes.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(ByteReader, ReadsNumbersInBothOrders) {
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 0x3f, 0x80, 0, 0};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.take_big_endian<std::uint16_t>(), 0x0102);
  EXPECT_EQ(reader.take_little_endian<std::uint16_t>(), 0x0403);
  EXPECT_EQ(reader.take_big_endian<float>(), 1.0F);
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(ByteReader, RejectsReadsPastTheEnd) {
  const std::vector<std::uint8_t> bytes{1, 2, 3};
  ByteReader reader(bytes);
  expect_throws<Error>([&] { reader.take_little_endian<std::uint32_t>(); }, "ends at byte 3");
  expect_throws<Error>([&] { reader.take(~std::size_t{0}); }, "ends at byte 3");
  expect_throws<Error>([&] { reader.seek(4); }, "past its end");
  EXPECT_EQ(reader.take(3).size(), 3U);
}

TEST(ByteReader, TakesLines) {
  const std::vector<std::uint8_t> bytes = to_bytes("torch\nFloatStorage\nrest");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.take_line(), "torch");
  EXPECT_EQ(reader.take_line(), "FloatStorage");
  expect_throws<Error>([&] { reader.take_line(); }, "ends");
}

TEST(WithSource, NamesTheSourceInErrorsOnly) {
  EXPECT_EQ(with_source("file", [] { return 7; }), 7);
  expect_throws<Error>(
      [] { with_source("file", [] { with_source("part", [] { throw Error("is bad"); }); }); },
      "file: part: is bad");
}

}  // namespace
}  // namespace mnist
