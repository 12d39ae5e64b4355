// TensorBoard event files: protobuf messages in TFRecord frames.
#pragma once

#include <cstdint>
#include <string>

#include "support/bytes.hpp"
#include "support/protobuf.hpp"

namespace mnist {

/// Appends events to a file of its own. A record is length (u64), masked CRC-32C of the length,
/// data, masked CRC-32C of the data; TensorBoard ignores a truncated last record.
class EventFile {
 public:
  /// Creates DIRECTORY/events.out.tfevents.TIME.HOST.PROCESS. Throws Error that names it.
  explicit EventFile(const std::string& directory);

  /// Appends `event` (tensorflow/core/util/event.proto), to which it adds the current time. Throws
  /// Error that names the file.
  void add(ProtobufMessage event);

 private:
  std::string path_;
};

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(Bytes bytes);

}  // namespace mnist
