// Parses and checks zip directories; byte offsets of fields are those of APPNOTE.TXT, section 4.3.
#include "serialize/zip_archive.hpp"

#include <algorithm>
#include <vector>

#include <spdlog/fmt/fmt.h>
#include <zlib.h>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::size_t kLocalHeaderSize = 30;
constexpr std::size_t kDirectoryHeaderSize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kEnd64LocatorSize = 20;
constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kEncrypted = 0x0001;    // a flag
constexpr std::uint16_t kStored = 0;            // a compression method
constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;  // the value is in a zip64 structure
constexpr std::uint64_t kMaxRecords = 100'000;

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
};

struct Record {
  std::string name;
  std::uint32_t checksum = 0;
  std::uint64_t header_offset = 0;
  Bytes content;
};

template <class Integer>
Integer field(Bytes structure, std::size_t offset) {
  return ByteReader(structure.subspan(offset)).take_little_endian<Integer>();
}

constexpr auto u16 = field<std::uint16_t>;
constexpr auto u32 = field<std::uint32_t>;
constexpr auto u64 = field<std::uint64_t>;

/// Position of the end record, which only a comment may follow.
std::size_t find_end(Bytes file) {
  constexpr std::size_t kMaxComment = 0xFFFF;
  for (std::size_t comment = 0; comment <= kMaxComment && kEndSize + comment <= file.size();
       ++comment) {
    const Bytes end = file.last(kEndSize + comment);
    if (u32(end, 0) == kEnd && u16(end, 20) == comment) return file.size() - end.size();
  }
  throw Error("has no zip directory; the file is truncated or not a zip archive");
}

Directory find_directory(Bytes file) {
  const std::size_t position = find_end(file);
  const Bytes end = file.subspan(position);
  const Directory directory{u32(end, 16), u32(end, 12), u16(end, 10)};
  if (directory.count != 0xFFFF && directory.size != kInZip64 && directory.offset != kInZip64) {
    return directory;
  }
  if (position < kEnd64LocatorSize) throw Error("its zip64 directory is missing");
  const Bytes locator = file.subspan(position - kEnd64LocatorSize);
  if (u32(locator, 0) != kEnd64Locator) throw Error("its zip64 directory is missing");
  ByteReader reader(file);
  reader.seek(u64(locator, 8));
  const Bytes end64 = reader.take(kEnd64Size);
  if (u32(end64, 0) != kEnd64) throw Error("its zip64 directory is damaged");
  return {u64(end64, 48), u64(end64, 40), u64(end64, 32)};
}

/// The zip64 extra field, empty when there is none.
Bytes find_zip64(Bytes extra) {
  ByteReader reader(extra);
  while (reader.remaining() >= 4) {
    const Bytes header = reader.take(4);
    const Bytes content = reader.take(u16(header, 2));
    if (u16(header, 0) == kZip64Extra) return content;
  }
  return {};
}

bool is_safe_name(std::string_view name) {
  const auto is_safe = [](char c) { return c >= ' ' && c <= '~' && c != '\\'; };
  return !name.empty() && name.front() != '/' && name.find("..") == std::string_view::npos &&
         std::ranges::all_of(name, is_safe);
}

/// The `size` bytes after the record's local header.
Bytes find_content(Bytes file, const Record& record, std::uint64_t size) {
  ByteReader reader(file);
  reader.seek(record.header_offset);
  const Bytes header = reader.take(kLocalHeaderSize);
  if (u32(header, 0) != kLocalHeader) throw Error("has no local header where the directory points");
  const Bytes name = reader.take(u16(header, 26));
  if (text_of(name) != record.name) throw Error("has a different name in its local header");
  reader.take(u16(header, 28));  // extra fields
  return reader.take(size);
}

Record read_record(Bytes file, ByteReader& directory) {
  const Bytes header = directory.take(kDirectoryHeaderSize);
  if (u32(header, 0) != kDirectoryHeader) throw Error("its zip directory is damaged");
  const Bytes name = directory.take(u16(header, 28));
  ByteReader zip64(find_zip64(directory.take(u16(header, 30))));
  directory.take(u16(header, 32));  // a comment

  Record record{std::string(text_of(name)), u32(header, 16), u32(header, 42), {}};
  if (!is_safe_name(record.name)) throw Error("has a record with an unsafe name");
  with_source("record '" + record.name + "'", [&] {
    std::uint64_t stored_size = u32(header, 20);
    std::uint64_t size = u32(header, 24);
    for (std::uint64_t* value : {&size, &stored_size, &record.header_offset}) {
      if (*value == kInZip64) *value = zip64.take_little_endian<std::uint64_t>();
    }
    if ((u16(header, 8) & kEncrypted) != 0) throw Error("is encrypted");
    if (u16(header, 10) != kStored || stored_size != size) {
      throw Error(
          "is compressed, as in TorchScript archives; save model.state_dict() with torch.save");
    }
    record.content = find_content(file, record, size);
  });
  return record;
}

std::vector<Record> read_directory(Bytes file) {
  const auto [offset, size, count] = find_directory(file);
  if (offset > file.size() || size > file.size() - offset) {
    throw Error("its zip directory lies outside the file");
  }
  if (count > kMaxRecords || count > size / kDirectoryHeaderSize) {
    throw Error(fmt::format("its zip directory claims {} records in {} bytes", count, size));
  }
  ByteReader directory(file.subspan(offset, size));
  std::vector<Record> records(count);
  for (Record& record : records) record = read_record(file, directory);
  return records;
}

}  // namespace

ZipRecords read_zip(Bytes file) {
  std::vector<Record> records = read_directory(file);
  std::ranges::sort(records, {}, &Record::header_offset);
  for (std::size_t i = 1; i < records.size(); ++i) {
    const Record& before = records[i - 1];
    if (file.data() + records[i].header_offset < before.content.data() + before.content.size()) {
      throw Error("records '" + before.name + "' and '" + records[i].name + "' overlap");
    }
  }
  ZipRecords by_name;
  for (const Record& record : records) {
    if (crc32_z(0, record.content.data(), record.content.size()) != record.checksum) {
      throw Error("record '" + record.name + "' is damaged: its checksum does not match");
    }
    if (!by_name.emplace(record.name, record.content).second) {
      throw Error("has two records named '" + record.name + "'");
    }
  }
  return by_name;
}

}  // namespace mnist
