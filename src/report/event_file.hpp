// The files that TensorBoard reads: protobuf messages in TFRecord frames.
#pragma once

#include <cstdint>
#include <string>

#include "support/byte_reader.hpp"
#include "support/protobuf.hpp"

namespace mnist {

/// Appends events to a file of its own. A record is length (u64), masked CRC-32C of the length,
/// data, masked CRC-32C of the data: readers pass over one that was cut off, so unlike our other
/// files this one grows in place.
class EventFile {
 public:
  /// Creates FOLDER/events.out.tfevents.TIME.HOST.PROCESS. Throws Error that names it.
  explicit EventFile(const std::string& folder);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// Appends an Event (tensorflow/core/util/event.proto) with the time of now. `event` has
  /// everything else. Throws Error that names the file.
  void add(ProtobufMessage event);

 private:
  [[noreturn]] void fail() const;

  std::string path_;
  int descriptor_ = -1;
};

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(Bytes bytes);

}  // namespace mnist
