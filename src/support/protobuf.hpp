// Writes messages in the wire format of Protocol Buffers (protobuf.dev, "Encoding"). A library for
// it would clash with the copy that LibTorch brings along.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mnist {

/// A message being written, field by field. Fields may come in any order; a repeated one comes
/// once for each of its values.
class ProtobufMessage {
 public:
  ProtobufMessage& add_integer(std::uint32_t field, std::int64_t value);
  ProtobufMessage& add_float(std::uint32_t field, float value);
  ProtobufMessage& add_double(std::uint32_t field, double value);
  /// A string, bytes, or packed numbers.
  ProtobufMessage& add_bytes(std::uint32_t field, std::string_view value);
  ProtobufMessage& add_message(std::uint32_t field, const ProtobufMessage& message);

  const std::string& bytes() const { return bytes_; }

 private:
  enum class WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };
  void add_tag(std::uint32_t field, WireType type);
  void add_varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace mnist
