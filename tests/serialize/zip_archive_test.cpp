// Zip archives, valid and malformed.
#include "serialize/zip_archive.hpp"

#include <zlib.h>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

/// One record; the defaults make a valid one.
struct Record {
  std::string name;
  std::string content;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::int64_t header_offset = -1;  ///< in the directory; -1 is the correct one
  std::uint32_t extra_size = 0;     ///< added to the stored size in the directory
};

class Writer {
 public:
  void number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
      bytes.push_back(i < 8 ? static_cast<std::uint8_t>(value >> (8 * i)) : std::uint8_t{0});
    }
  }
  void text(const std::string& value) { bytes.insert(bytes.end(), value.begin(), value.end()); }
  std::vector<std::uint8_t> bytes;
};

std::vector<std::uint8_t> zip(const std::vector<Record>& records) {
  Writer file;
  Writer directory;
  for (const Record& record : records) {
    const std::size_t offset = file.bytes.size();
    const auto checksum =
        crc32_z(0, reinterpret_cast<const Bytef*>(record.content.data()), record.content.size());
    file.number(0x04034b50, 4);
    file.number(0, 22);
    file.number(record.name.size(), 2);
    file.number(0, 2);
    file.text(record.name);
    file.text(record.content);
    directory.number(0x02014b50, 4);
    directory.number(0, 4);
    directory.number(record.flags, 2);
    directory.number(record.method, 2);
    directory.number(0, 4);
    directory.number(checksum, 4);
    directory.number(record.content.size() + record.extra_size, 4);
    directory.number(record.content.size() + record.extra_size, 4);
    directory.number(record.name.size(), 2);
    directory.number(0, 12);
    directory.number(
        record.header_offset < 0 ? offset : static_cast<std::uint64_t>(record.header_offset), 4);
    directory.text(record.name);
  }
  const std::size_t start = file.bytes.size();
  file.bytes.insert(file.bytes.end(), directory.bytes.begin(), directory.bytes.end());
  file.number(0x06054b50, 4);
  file.number(0, 4);
  file.number(records.size(), 2);
  file.number(records.size(), 2);
  file.number(directory.bytes.size(), 4);
  file.number(start, 4);
  file.number(0, 2);
  return file.bytes;
}

void expect_refused(const std::vector<std::uint8_t>& file, std::string_view words) {
  expect_throws<Error>([&] { read_zip(file); }, words);
}

TEST(ZipArchive, ReadsRecords) {
  const auto file = zip({{"a/x", "hello"}, {"a/y", ""}});
  const ZipRecords records = read_zip(file);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(text_of(records.at("a/x")), "hello");
  EXPECT_TRUE(records.at("a/y").empty());
}

TEST(ZipArchive, RefusesEveryTruncation) {
  const auto whole = zip({{"a/x", "hello"}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, "");
  }
}

TEST(ZipArchive, RefusesDamagedContent) {
  auto file = zip({{"a/x", "hello"}});
  file[30 + 3] ^= 1;
  expect_refused(file, "checksum does not match");
}

TEST(ZipArchive, RefusesUnsafeRecords) {
  expect_refused(zip({{"a", "x"}, {"a", "y"}}), "two records named 'a'");
  expect_refused(zip({{.name = "a", .content = "x", .flags = 1}}), "is encrypted");
  expect_refused(zip({{.name = "a", .content = "x", .method = 8}}), "is compressed");
  expect_refused(zip({{"../a", "x"}}), "unsafe name");
  expect_refused(zip({{"/a", "x"}}), "unsafe name");
  expect_refused(zip({{"a\\b", "x"}}), "unsafe name");
  expect_refused(zip({{"", "x"}}), "unsafe name");
  expect_refused(zip({{"a", "x"}, {.name = "b", .content = "y", .header_offset = 0}}),
                 "different name");
  expect_refused(zip({{.name = "a", .content = "x", .header_offset = 7}}), "no local header");
  expect_refused(zip({{.name = "a", .content = "x", .header_offset = 0x7fffffff}}),
                 "no local header");
  expect_refused(zip({{.name = "a", .content = "x", .extra_size = 10}, {"b", "y"}}), "overlap");
  expect_refused(zip({{.name = "a", .content = "x", .extra_size = 1000}}),
                 "more bytes were expected");
}

TEST(ZipArchive, RefusesARecordInsideAnother) {
  const auto inner = zip({{"b", "y"}});
  const std::size_t inner_size = 30 + 1 + 1;
  const std::string nested(inner.begin(), inner.begin() + inner_size);
  // Both headers and checksums are valid; the directory's second entry points into the first.
  expect_refused(zip({{"a", nested}, {.name = "b", .content = "y", .header_offset = 30 + 1}}),
                 "overlap");
}

TEST(ZipArchive, RefusesAnInconsistentDirectory) {
  auto file = zip({{"a", "x"}});
  file[file.size() - 12] = 2;  // two records claimed
  expect_refused(file, "claims 2 records");
  file = zip({{"a", "x"}});
  file[file.size() - 4] = 0x7f;  // the directory's offset
  expect_refused(file, "outside the file");
  file = zip({{"a", "x"}});
  for (std::size_t i = 6; i >= 3; --i) file[file.size() - i] = 0xff;  // refer to zip64 structures
  expect_refused(file, "zip64 directory is missing");
}

}  // namespace
}  // namespace mnist
