// Bounded decompression: sizes, truncation, damage and trailing bytes.
#include "support/gzip.hpp"

#include "gzip_support.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

const std::vector<std::uint8_t> kContent(1000, 7);

TEST(Gzip, ReadsInChunks) {
  const auto compressed = gzip(kContent);
  ASSERT_TRUE(is_gzip(compressed));
  GzipReader reader(compressed, "file");
  std::vector<std::uint8_t> first(10);
  std::vector<std::uint8_t> rest(990);
  reader.read(first);
  reader.read(rest);
  reader.expect_end();
  EXPECT_EQ(first, std::vector<std::uint8_t>(10, 7));
  EXPECT_EQ(rest, std::vector<std::uint8_t>(990, 7));
}

TEST(Gzip, RejectsDataThatIsTooShortOrTooLong) {
  const auto compressed = gzip(kContent);
  std::vector<std::uint8_t> target(1001);
  GzipReader longer(compressed, "file");
  expect_throws<Error>([&] { longer.read(target); }, "ends 1 bytes too early");
  target.resize(999);
  GzipReader shorter(compressed, "file");
  shorter.read(target);
  expect_throws<Error>([&] { shorter.expect_end(); }, "longer than its header says");
}

TEST(Gzip, RejectsTruncatedDamagedAndTrailingData) {
  std::vector<std::uint8_t> target(1000);
  for (std::size_t size = 2; size < gzip(kContent).size(); ++size) {
    auto cut = gzip(kContent);
    cut.resize(size);
    expect_throws<Error>(
        [&] {
          GzipReader reader(cut, "file");
          reader.read(target);
          reader.expect_end();
        },
        "truncated");
  }
  auto damaged = gzip(kContent);
  damaged[damaged.size() - 8] ^= 1;  // the checksum
  expect_throws<Error>(
      [&] {
        GzipReader reader(damaged, "file");
        reader.read(target);
        reader.expect_end();
      },
      "damaged");
  auto trailing = gzip(kContent);
  trailing.push_back(0);
  GzipReader reader(trailing, "file");
  reader.read(target);
  expect_throws<Error>([&] { reader.expect_end(); }, "1 bytes of garbage");
}

}  // namespace
}  // namespace mnist
