// The files that TensorBoard reads: protobuf messages in TFRecord frames.
#include "report/event_file.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"
#include "support/little_endian.hpp"
#include "support/retry.hpp"

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

/// The checksum as TFRecord has it, so that the sum of data with sums inside is no special value.
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

EventFile::EventFile(const std::string& folder)
    : path_(fmt::format("{}/events.out.tfevents.{:010}.{}.{}", folder,
                        static_cast<std::int64_t>(seconds_since_1970()), host_name(), ::getpid())) {
  constexpr mode_t kReadableByAll = 0644;
  descriptor_ = retried([&] {
    return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kReadableByAll);
  });
  if (descriptor_ < 0) fail();
  add(ProtobufMessage().add_bytes(3, "brain.Event:2"));
}

EventFile::~EventFile() {
  ::close(descriptor_);
}

void EventFile::fail() const {
  throw Error(path_ + ": cannot be written: " + std::strerror(errno));
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
  if (!write_all(descriptor_,
                 {reinterpret_cast<const std::uint8_t*>(record.data()), record.size()})) {
    fail();
  }
}

}  // namespace mnist
