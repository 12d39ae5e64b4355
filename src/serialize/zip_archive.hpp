// Reads the zip archives that torch.save writes: uncompressed records, untrusted input. Our own
// code, because libzip copies every record and accepts overlapping ones.
#pragma once

#include <map>
#include <string>

#include "support/bytes.hpp"

namespace mnist {

/// The records of an archive by name.
using ZipRecords = std::map<std::string, Bytes>;

/// Reads an uncompressed zip archive (PKWARE's APPNOTE.TXT 6.3, zip64 included; one disk, at most
/// 100,000 records); the records are views of `file`. Every record must be stored, unencrypted,
/// match its CRC-32, have a relative ASCII name of its own without "..", and share no byte with
/// another record. Throws Error.
ZipRecords read_zip(Bytes file);

}  // namespace mnist
