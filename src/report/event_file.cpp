// TFRecord framing: lengths and masked checksums.
#include "report/event_file.hpp"

#include <array>
#include <chrono>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "report/append_file.hpp"
#include "support/bytes.hpp"

namespace mnist {
namespace {

double seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc % 2 == 1 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

/// TFRecord's checksum. The CRC of data that contains its own CRC is degenerate; masking avoids
/// that.
std::uint32_t masked_crc(const std::string& data) {
  const std::uint32_t crc =
      crc32c({reinterpret_cast<const std::uint8_t*>(data.data()), data.size()});
  return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

}  // namespace

std::uint32_t crc32c(Bytes bytes) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t crc = ~0U;
  for (const std::uint8_t byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ byte) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const std::string& directory)
    : path_(fmt::format("{}/events.out.tfevents.{:010}.{}.{}", directory,
                        static_cast<std::int64_t>(seconds_since_1970()), host_name(), ::getpid())) {
  add(ProtobufMessage().add_bytes(3, "brain.Event:2"));
}

void EventFile::add(ProtobufMessage event) {
  event.add_double(1, seconds_since_1970());
  const std::string& data = event.bytes();
  std::string length;
  append_little_endian(length, static_cast<std::uint64_t>(data.size()));
  std::string record = length;
  append_little_endian(record, masked_crc(length));
  record += data;
  append_little_endian(record, masked_crc(data));
  append_to_file(path_, record);
}

}  // namespace mnist
