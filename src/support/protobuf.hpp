// Writes the Protocol Buffers wire format (protobuf.dev, "Encoding"). Our own code, because
// libprotobuf would clash with the copy inside LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/bytes.hpp"

namespace mnist {

/// Encodes one message. Add fields in any order, and a repeated field once per value.
class ProtobufMessage {
 public:
  ProtobufMessage& add_integer(std::uint32_t field, std::int64_t value) {
    add_tag(field, WireType::kVarint);
    add_varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  ProtobufMessage& add_float(std::uint32_t field, float value) {
    add_tag(field, WireType::kFixed32);
    append_little_endian(bytes_, value);
    return *this;
  }
  ProtobufMessage& add_double(std::uint32_t field, double value) {
    add_tag(field, WireType::kFixed64);
    append_little_endian(bytes_, value);
    return *this;
  }
  /// A string, bytes, or a packed repeated field.
  ProtobufMessage& add_bytes(std::uint32_t field, std::string_view value) {
    add_tag(field, WireType::kLength);
    add_varint(value.size());
    bytes_ += value;
    return *this;
  }
  ProtobufMessage& add_message(std::uint32_t field, const ProtobufMessage& message) {
    return add_bytes(field, message.bytes());
  }

  const std::string& bytes() const { return bytes_; }

 private:
  enum class WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

  void add_tag(std::uint32_t field, WireType type) {
    add_varint(std::uint64_t{field} << 3 | static_cast<std::uint64_t>(type));
  }
  void add_varint(std::uint64_t value) {
    constexpr std::uint64_t kMore = 0x80;
    for (; value >= kMore; value >>= 7) bytes_ += static_cast<char>((value % kMore) | kMore);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace mnist
