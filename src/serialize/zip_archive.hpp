// Reads the zip archives that torch.save writes: uncompressed records, untrusted input. Our own
// code, because libzip copies every record and accepts overlapping ones.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/bytes.hpp"

namespace mnist {

/// A read-only view of an uncompressed zip archive in memory (PKWARE's APPNOTE.TXT 6.3, zip64
/// included; one disk, at most 100,000 records).
class ZipArchive {
 public:
  /// Checks the whole archive: every record must be stored, unencrypted, match its CRC-32, have a
  /// relative ASCII name of its own without "..", and share no byte with another record. Throws
  /// Error that names `source`. `file` must outlive the archive.
  ZipArchive(Bytes file, std::string_view source);

  /// Names in alphabetical order.
  std::vector<std::string> names() const;

  bool contains(std::string_view name) const { return records_.contains(name); }

  /// The bytes of a record, in the file's memory. Throws Error when there is none of that name.
  Bytes record(std::string_view name) const;

 private:
  std::string source_;
  std::map<std::string, Bytes, std::less<>> records_;
};

}  // namespace mnist
