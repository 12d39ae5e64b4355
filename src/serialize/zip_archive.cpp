// The zip archives that torch.save writes: records stored whole, read without trusting a byte.
#include "serialize/zip_archive.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <zlib.h>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

// Signatures and sizes of APPNOTE.TXT's structures.
constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::size_t kLocalHeaderSize = 30;
constexpr std::size_t kDirectoryHeaderSize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64LocatorSize = 20;
constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kEncrypted = 0x0001;
constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;  // the number did not fit, see the zip64 extra
constexpr std::uint64_t kMostRecords = 100'000;

/// Position of the end record: the last place where its signature is followed by a comment that
/// ends with the file.
std::size_t find_end(Bytes file, std::string_view source) {
  constexpr std::size_t kLongestComment = 0xFFFF;
  const std::size_t lowest =
      file.size() > kEndSize + kLongestComment ? file.size() - kEndSize - kLongestComment : 0;
  for (std::size_t start = file.size() < kEndSize ? 0 : file.size() - kEndSize + 1;
       start-- > lowest;) {
    ByteReader reader(file.subspan(start), source);
    if (reader.take_little_endian<std::uint32_t>() != kEnd) continue;
    reader.take(16);
    if (reader.take_little_endian<std::uint16_t>() == reader.remaining()) return start;
  }
  throw Error(std::string(source) + ": has no zip directory: it was cut short, or is no archive");
}

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
};

Directory find_directory(Bytes file, std::string_view source) {
  const std::size_t end = find_end(file, source);
  ByteReader reader(file, source);
  reader.seek(end + 10);
  Directory directory;
  directory.count = reader.take_little_endian<std::uint16_t>();
  directory.size = reader.take_little_endian<std::uint32_t>();
  directory.offset = reader.take_little_endian<std::uint32_t>();
  const bool needs_zip64 =
      directory.count == 0xFFFF || directory.size == kInZip64 || directory.offset == kInZip64;
  if (!needs_zip64) return directory;
  if (end < kEnd64LocatorSize)
    throw Error(std::string(source) + ": its zip64 directory is missing");
  reader.seek(end - kEnd64LocatorSize);
  if (reader.take_little_endian<std::uint32_t>() != kEnd64Locator) {
    throw Error(std::string(source) + ": its zip64 directory is missing");
  }
  reader.take(4);
  const auto end64 = reader.take_little_endian<std::uint64_t>();
  reader.seek(std::min<std::uint64_t>(end64, file.size()));
  if (reader.take_little_endian<std::uint32_t>() != kEnd64) {
    throw Error(std::string(source) + ": its zip64 directory is damaged");
  }
  reader.take(28);
  directory.count = reader.take_little_endian<std::uint64_t>();
  directory.size = reader.take_little_endian<std::uint64_t>();
  directory.offset = reader.take_little_endian<std::uint64_t>();
  return directory;
}

/// The 64-bit numbers of a zip64 extra field, nothing when there is none.
std::optional<ByteReader> find_zip64_extra(Bytes extra, std::string_view source) {
  ByteReader reader(extra, source);
  while (reader.remaining() >= 4) {
    const auto tag = reader.take_little_endian<std::uint16_t>();
    const Bytes content = reader.take(reader.take_little_endian<std::uint16_t>());
    if (tag == kZip64Extra) return ByteReader(content, source);
  }
  return std::nullopt;
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.front() != '/' && name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c != '\\'; });
}

}  // namespace

ZipArchive::ZipArchive(Bytes file, std::string_view source) : file_(file), source_(source) {
  const Directory directory = find_directory(file, source);
  read_directory(directory.offset, directory.size, directory.count);
  check_disjoint();
}

void ZipArchive::read_directory(std::uint64_t offset, std::uint64_t size, std::uint64_t count) {
  if (offset > file_.size() || size > file_.size() - offset) {
    throw Error(std::string(source_) + ": its zip directory lies outside the file");
  }
  if (count > kMostRecords || count > size / kDirectoryHeaderSize) {
    throw Error(std::string(source_) + ": its zip directory promises " + std::to_string(count) +
                " records, more than it can hold");
  }
  ByteReader reader(file_.subspan(offset, size), source_);
  std::set<std::string_view> seen;
  entries_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    entries_.push_back(read_entry(reader));
    if (!seen.insert(entries_.back().name).second) {
      throw Error(std::string(source_) + ": has record '" + entries_.back().name + "' twice");
    }
  }
}

ZipArchive::Entry ZipArchive::read_entry(ByteReader& directory) const {
  const auto fail = [&](const std::string& what) {
    throw Error(std::string(source_) + ": " + what);
  };
  if (directory.take_little_endian<std::uint32_t>() != kDirectoryHeader) {
    fail("its zip directory is damaged");
  }
  directory.take(4);
  const auto flags = directory.take_little_endian<std::uint16_t>();
  const auto method = directory.take_little_endian<std::uint16_t>();
  directory.take(4);
  Entry entry;
  entry.checksum = directory.take_little_endian<std::uint32_t>();
  std::uint64_t stored_size = directory.take_little_endian<std::uint32_t>();
  std::uint64_t size = directory.take_little_endian<std::uint32_t>();
  const auto name_size = directory.take_little_endian<std::uint16_t>();
  const auto extra_size = directory.take_little_endian<std::uint16_t>();
  const auto comment_size = directory.take_little_endian<std::uint16_t>();
  directory.take(8);
  entry.header_offset = directory.take_little_endian<std::uint32_t>();
  const Bytes name = directory.take(name_size);
  entry.name.assign(name.begin(), name.end());
  auto zip64 = find_zip64_extra(directory.take(extra_size), source_);
  directory.take(comment_size);
  for (std::uint64_t* number : {&size, &stored_size, &entry.header_offset}) {
    if (*number != kInZip64) continue;
    if (!zip64) fail("record '" + entry.name + "' lacks its zip64 sizes");
    *number = zip64->take_little_endian<std::uint64_t>();
  }
  if (!is_plain_name(entry.name)) fail("has a record with a forbidden name");
  if ((flags & kEncrypted) != 0) fail("record '" + entry.name + "' is encrypted");
  if (method != 0 || stored_size != size) {
    fail("record '" + entry.name + "' is compressed, torch.save stores records as they are");
  }
  locate_content(entry, size);
  return entry;
}

void ZipArchive::locate_content(Entry& entry, std::uint64_t size) const {
  ByteReader reader(file_, source_);
  reader.seek(std::min<std::uint64_t>(entry.header_offset, file_.size()));
  if (reader.remaining() < kLocalHeaderSize ||
      reader.take_little_endian<std::uint32_t>() != kLocalHeader) {
    throw Error(std::string(source_) + ": record '" + entry.name +
                "' is not where the directory says");
  }
  reader.take(22);
  const auto name_size = reader.take_little_endian<std::uint16_t>();
  const auto extra_size = reader.take_little_endian<std::uint16_t>();
  const Bytes name = reader.take(name_size);
  if (!std::equal(name.begin(), name.end(), entry.name.begin(), entry.name.end())) {
    throw Error(std::string(source_) + ": record '" + entry.name +
                "' has another name in the directory");
  }
  reader.take(extra_size);
  entry.content = reader.take(size);
}

void ZipArchive::check_disjoint() const {
  std::vector<const Entry*> by_offset;
  for (const Entry& entry : entries_) by_offset.push_back(&entry);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const Entry* a, const Entry* b) { return a->header_offset < b->header_offset; });
  for (std::size_t i = 1; i < by_offset.size(); ++i) {
    const Entry& before = *by_offset[i - 1];
    const auto end =
        static_cast<std::uint64_t>(before.content.data() + before.content.size() - file_.data());
    if (by_offset[i]->header_offset < end) {
      throw Error(std::string(source_) + ": records '" + before.name + "' and '" +
                  by_offset[i]->name + "' overlap");
    }
  }
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

const ZipArchive::Entry* ZipArchive::find(std::string_view name) const {
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& candidate) { return candidate.name == name; });
  return entry == entries_.end() ? nullptr : &*entry;
}

Bytes ZipArchive::record(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) {
    throw Error(std::string(source_) + ": has no record '" + std::string(name) + "'");
  }
  if (crc32_z(0, entry->content.data(), entry->content.size()) != entry->checksum) {
    throw Error(std::string(source_) + ": record '" + entry->name +
                "' is damaged: its checksum does not agree");
  }
  return entry->content;
}

}  // namespace mnist
