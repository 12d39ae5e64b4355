// Zip archives, valid and malformed.
#include "serialize/zip_archive.hpp"

#include <algorithm>

#include "archives.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

void expect_zip_refused(const std::vector<std::uint8_t>& file, std::string_view words) {
  expect_throws<Error>([&] { read_zip(file); }, words);
}

TEST(ZipArchive, ReadsRecords) {
  const auto file = zip({{"a/x", "hello"}, {"a/y", ""}});
  const ZipRecords records = read_zip(file);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(text_of(records.at("a/x")), "hello");
  EXPECT_TRUE(records.at("a/y").empty());
}

TEST(ZipArchive, ReadsZip64) {
  const auto file = zip({{"a/x", "hello"}, {"a/y", "z"}}, /*zip64=*/true);
  EXPECT_EQ(text_of(read_zip(file).at("a/y")), "z");
}

TEST(ZipArchive, RefusesBytesAfterItsEnd) {
  auto file = zip({{"a/x", "hello"}});
  file.push_back(0);
  expect_zip_refused(file, "has no zip directory");
  file[file.size() - 3] = 1;  // now it is a comment
  EXPECT_EQ(read_zip(file).size(), 1U);
}

TEST(ZipArchive, RefusesEveryTruncation) {
  const auto whole = zip({{"a/x", "hello"}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_zip_refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, "");
  }
}

TEST(ZipArchive, RefusesDamagedContent) {
  auto file = zip({{"a/x", "hello"}});
  file[30 + 3] ^= 1;
  expect_zip_refused(file, "checksum does not match");
  file = zip({{"a/x", "hello"}});
  std::fill_n(file.begin() + 30 + 3 + 5 + 16, 4, std::uint8_t{0});  // no checksum at all
  expect_zip_refused(file, "checksum does not match");
}

TEST(ZipArchive, RefusesUnsafeRecords) {
  expect_zip_refused(zip({{"a", "x"}, {"a", "y"}}), "two records named 'a'");
  expect_zip_refused(zip({{.name = "a", .content = "x", .flags = 1}}), "is encrypted");
  expect_zip_refused(zip({{.name = "a", .content = "x", .method = 8}}), "is compressed");
  expect_zip_refused(zip({{"../a", "x"}}), "unsafe name");
  expect_zip_refused(zip({{"/a", "x"}}), "unsafe name");
  expect_zip_refused(zip({{"a\\b", "x"}}), "unsafe name");
  expect_zip_refused(zip({{"", "x"}}), "unsafe name");
  expect_zip_refused(zip({{"a", "x"}, {.name = "b", .content = "y", .header_offset = 0}}),
                     "different name");
  expect_zip_refused(zip({{.name = "a", .content = "x", .header_offset = 7}}), "no local header");
  expect_zip_refused(zip({{.name = "a", .content = "x", .header_offset = 0x7fffffff}}),
                     "record 'a': refers to byte 2147483647, past its end");
  expect_zip_refused(zip({{.name = "a", .content = "x", .extra_size = 10}, {"b", "y"}}), "overlap");
  expect_zip_refused(zip({{.name = "a", .content = "x", .extra_size = 1000}}),
                     "more bytes were expected");
}

TEST(ZipArchive, RefusesARecordInsideAnother) {
  const auto inner = zip({{"b", "y"}});
  const std::size_t inner_size = 30 + 1 + 1;
  const std::string nested(inner.begin(), inner.begin() + inner_size);
  // Both headers and checksums are valid; the directory's second entry points into the first.
  expect_zip_refused(zip({{"a", nested}, {.name = "b", .content = "y", .header_offset = 30 + 1}}),
                     "overlap");
}

TEST(ZipArchive, RefusesAnInconsistentDirectory) {
  auto file = zip({{"a", "x"}});
  file[file.size() - 12] = 2;  // two records claimed
  expect_zip_refused(file, "claims 2 records");
  file = zip({{"a", "x"}});
  file[file.size() - 4] = 0x7f;  // the directory's offset
  expect_zip_refused(file, "outside the file");
  file = zip({{"a", "x"}});
  for (std::size_t i = 6; i >= 3; --i) file[file.size() - i] = 0xff;  // refer to zip64 structures
  expect_zip_refused(file, "zip64 directory is missing");
}

}  // namespace
}  // namespace mnist
