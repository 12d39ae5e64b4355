// The zip archives that torch.save writes: records stored whole, read without trusting a byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/byte_reader.hpp"

namespace mnist {

/// A read-only view of an uncompressed zip archive (APPNOTE.TXT 6.3, zip64 included) in memory.
class ZipArchive {
 public:
  /// Reads the central directory. Throws Error that names `source` for anything but a well-formed
  /// archive of stored, unencrypted records that have different plain names, do not overlap, and
  /// lie inside the file. Both arguments must outlive the archive.
  ZipArchive(Bytes file, std::string_view source);

  /// Names in the order of the directory.
  std::vector<std::string> names() const;

  bool contains(std::string_view name) const { return find(name) != nullptr; }

  /// The bytes of a record, in the file's memory. Throws Error when it is missing or its CRC-32
  /// does not agree.
  Bytes record(std::string_view name) const;

 private:
  struct Entry {
    std::string name;
    std::uint32_t checksum = 0;
    std::uint64_t header_offset = 0;
    Bytes content;
  };

  const Entry* find(std::string_view name) const;
  void read_directory(std::uint64_t offset, std::uint64_t size, std::uint64_t count);
  Entry read_entry(ByteReader& directory) const;
  void locate_content(Entry& entry, std::uint64_t size) const;
  void check_disjoint() const;

  Bytes file_;
  std::string_view source_;
  std::vector<Entry> entries_;
};

}  // namespace mnist
