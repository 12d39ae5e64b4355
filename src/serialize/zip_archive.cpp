// Parses and checks zip directories; byte offsets of fields are those of APPNOTE.TXT, section 4.3.
#include "serialize/zip_archive.hpp"

#include <algorithm>

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
constexpr std::uint16_t kEncrypted = 0x0001;
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

[[noreturn]] void fail(std::string_view source, const std::string& what) {
  throw Error(std::string(source) + ": " + what);
}

template <class Integer>
Integer field(Bytes structure, std::size_t offset) {
  return ByteReader(structure.subspan(offset), "zip field").take_little_endian<Integer>();
}

constexpr auto u16 = field<std::uint16_t>;
constexpr auto u32 = field<std::uint32_t>;
constexpr auto u64 = field<std::uint64_t>;

/// Position of the end record, which only a comment may follow.
std::size_t find_end(Bytes file, std::string_view source) {
  constexpr std::size_t kMaxComment = 0xFFFF;
  for (std::size_t comment = 0; comment <= kMaxComment && kEndSize + comment <= file.size();
       ++comment) {
    const Bytes end = file.last(kEndSize + comment);
    if (u32(end, 0) == kEnd && u16(end, 20) == comment) return file.size() - end.size();
  }
  fail(source, "has no zip directory; the file is truncated or not a zip archive");
}

Directory find_directory(Bytes file, std::string_view source) {
  const std::size_t position = find_end(file, source);
  const Bytes end = file.subspan(position);
  const Directory directory{u32(end, 16), u32(end, 12), u16(end, 10)};
  if (directory.count != 0xFFFF && directory.size != kInZip64 && directory.offset != kInZip64) {
    return directory;
  }
  if (position < kEnd64LocatorSize) fail(source, "its zip64 directory is missing");
  const Bytes locator = file.subspan(position - kEnd64LocatorSize);
  if (u32(locator, 0) != kEnd64Locator) fail(source, "its zip64 directory is missing");
  ByteReader reader(file, source);
  reader.seek(u64(locator, 8));
  const Bytes end64 = reader.take(kEnd64Size);
  if (u32(end64, 0) != kEnd64) fail(source, "its zip64 directory is damaged");
  return {u64(end64, 48), u64(end64, 40), u64(end64, 32)};
}

/// The zip64 extra field, empty when there is none.
Bytes find_zip64(Bytes extra, std::string_view source) {
  ByteReader reader(extra, source);
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
         std::all_of(name.begin(), name.end(), is_safe);
}

/// The bytes after the record's local header.
Bytes locate_content(Bytes file, const Record& record, std::uint64_t size,
                     std::string_view source) {
  ByteReader reader(file, source);
  reader.seek(std::min<std::uint64_t>(record.header_offset, file.size()));
  if (reader.remaining() < kLocalHeaderSize || u32(file, record.header_offset) != kLocalHeader) {
    fail(source, "record '" + record.name + "' has no local header where the directory points");
  }
  const Bytes header = reader.take(kLocalHeaderSize);
  const Bytes name = reader.take(u16(header, 26));
  if (!std::equal(name.begin(), name.end(), record.name.begin(), record.name.end())) {
    fail(source, "record '" + record.name + "' has a different name in its local header");
  }
  reader.take(u16(header, 28));
  return reader.take(size);
}

Record read_record(Bytes file, ByteReader& directory, std::string_view source) {
  const Bytes header = directory.take(kDirectoryHeaderSize);
  if (u32(header, 0) != kDirectoryHeader) fail(source, "its zip directory is damaged");
  const Bytes name = directory.take(u16(header, 28));
  ByteReader zip64(find_zip64(directory.take(u16(header, 30)), source), source);
  directory.take(u16(header, 32));  // a comment

  Record record{{name.begin(), name.end()}, u32(header, 16), u32(header, 42), {}};
  if (!is_safe_name(record.name)) fail(source, "has a record with an unsafe name");
  std::uint64_t stored_size = u32(header, 20);
  std::uint64_t size = u32(header, 24);
  for (std::uint64_t* value : {&size, &stored_size, &record.header_offset}) {
    if (*value == kInZip64) *value = zip64.take_little_endian<std::uint64_t>();
  }
  const std::uint16_t flags = u16(header, 8);
  const std::uint16_t method = u16(header, 10);
  if ((flags & kEncrypted) != 0) fail(source, "record '" + record.name + "' is encrypted");
  if (method != 0 || stored_size != size) {
    fail(source, "record '" + record.name + "' is compressed, as in TorchScript archives; save " +
                     "model.state_dict() with torch.save");
  }
  record.content = locate_content(file, record, size, source);
  return record;
}

std::vector<Record> read_records(Bytes file, std::string_view source) {
  const auto [offset, size, count] = find_directory(file, source);
  if (offset > file.size() || size > file.size() - offset) {
    fail(source, "its zip directory lies outside the file");
  }
  if (count > kMaxRecords || count > size / kDirectoryHeaderSize) {
    fail(source, "its zip directory claims " + std::to_string(count) + " records, too many for " +
                     std::to_string(size) + " bytes");
  }
  ByteReader directory(file.subspan(offset, size), source);
  std::vector<Record> records(count);
  for (Record& record : records) record = read_record(file, directory, source);
  return records;
}

}  // namespace

ZipArchive::ZipArchive(Bytes file, std::string_view source) : source_(source) {
  std::vector<Record> records = read_records(file, source);
  std::sort(records.begin(), records.end(),
            [](const Record& a, const Record& b) { return a.header_offset < b.header_offset; });
  for (std::size_t i = 1; i < records.size(); ++i) {
    const Record& before = records[i - 1];
    if (file.data() + records[i].header_offset < before.content.data() + before.content.size()) {
      fail(source, "records '" + before.name + "' and '" + records[i].name + "' overlap");
    }
  }
  for (const Record& record : records) {
    if (crc32_z(0, record.content.data(), record.content.size()) != record.checksum) {
      fail(source, "record '" + record.name + "' is damaged: its checksum does not match");
    }
    if (!records_.emplace(record.name, record.content).second) {
      fail(source, "has two records named '" + record.name + "'");
    }
  }
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  for (const auto& [name, content] : records_) names.push_back(name);
  return names;
}

Bytes ZipArchive::record(std::string_view name) const {
  const auto found = records_.find(name);
  if (found == records_.end()) fail(source_, "has no record '" + std::string(name) + "'");
  return found->second;
}

}  // namespace mnist
