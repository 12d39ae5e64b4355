// Writes the Protocol Buffers wire format (protobuf.dev, "Encoding"). Our own code, because
// libprotobuf would clash with the copy inside LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mnist {

/// Encodes one message. Add fields in any order, and a repeated field once per value.
class ProtobufMessage {
 public:
  ProtobufMessage& add_integer(std::uint32_t field, std::int64_t value);
  ProtobufMessage& add_float(std::uint32_t field, float value);
  ProtobufMessage& add_double(std::uint32_t field, double value);
  /// A string, bytes, or a packed repeated field.
  ProtobufMessage& add_bytes(std::uint32_t field, std::string_view value);
  ProtobufMessage& add_message(std::uint32_t field, const ProtobufMessage& message) {
    return add_bytes(field, message.bytes());
  }

  const std::string& bytes() const { return bytes_; }

 private:
  enum class WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };
  void add_tag(std::uint32_t field, WireType type);
  void add_varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace mnist
