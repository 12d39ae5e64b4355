// Varints, tags and fields of the Protocol Buffers wire format.
#include "support/protobuf.hpp"

#include "support/bytes.hpp"

namespace mnist {

void ProtobufMessage::add_varint(std::uint64_t value) {
  constexpr std::uint64_t kMore = 0x80;
  for (; value >= kMore; value >>= 7) bytes_ += static_cast<char>((value % kMore) | kMore);
  bytes_ += static_cast<char>(value);
}

void ProtobufMessage::add_tag(std::uint32_t field, WireType type) {
  add_varint(std::uint64_t{field} << 3 | static_cast<std::uint64_t>(type));
}

ProtobufMessage& ProtobufMessage::add_integer(std::uint32_t field, std::int64_t value) {
  add_tag(field, WireType::kVarint);
  add_varint(static_cast<std::uint64_t>(value));
  return *this;
}

ProtobufMessage& ProtobufMessage::add_float(std::uint32_t field, float value) {
  add_tag(field, WireType::kFixed32);
  append_little_endian(bytes_, value);
  return *this;
}

ProtobufMessage& ProtobufMessage::add_double(std::uint32_t field, double value) {
  add_tag(field, WireType::kFixed64);
  append_little_endian(bytes_, value);
  return *this;
}

ProtobufMessage& ProtobufMessage::add_bytes(std::uint32_t field, std::string_view value) {
  add_tag(field, WireType::kLength);
  add_varint(value.size());
  bytes_ += value;
  return *this;
}

}  // namespace mnist
