// Images without compression, BMP and PNM.
#include "imaging/bmp_pnm.hpp"

#include <algorithm>
#include <array>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

/// The next number of a PNM header; a "#" begins a remark that lasts to the end of its line.
std::uint32_t take_header_number(ByteReader& reader, const std::string& source) {
  const auto take = [&] { return static_cast<char>(reader.take(1)[0]); };
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  char letter = take();
  while (is_space(letter) || letter == '#') {
    if (letter == '#') reader.take_line();
    letter = take();
  }
  constexpr std::uint32_t kLargest = 100'000'000;
  std::uint32_t number = 0;
  for (; letter >= '0' && letter <= '9'; letter = take()) {
    number = 10 * number + static_cast<std::uint32_t>(letter - '0');
    if (number > kLargest) refuse_picture(source, "a number of its header is too large");
  }
  if (!is_space(letter)) refuse_picture(source, "its header is damaged");
  return number;
}

/// What a BMP file says of itself.
struct BmpHeader {
  std::uint32_t pixels_at = 0;
  std::int64_t columns = 0;
  std::int64_t rows = 0;
  bool top_down = false;
  std::uint16_t bits = 0;                            ///< of a pixel
  std::vector<std::array<std::uint8_t, 4>> palette;  ///< blue, green, red, unused
};

BmpHeader take_bmp_header(Bytes file, const std::string& source) {
  constexpr std::uint32_t kInfoHeader = 40;
  constexpr std::size_t kFileHeader = 14;
  constexpr std::uint32_t kNoCompression = 0;
  constexpr std::uint32_t kBitFields = 3;  // their usual masks are those of no compression
  ByteReader reader(file, source);
  reader.seek(10);
  BmpHeader header;
  header.pixels_at = reader.take_little_endian<std::uint32_t>();
  const auto size = reader.take_little_endian<std::uint32_t>();
  if (size < kInfoHeader) refuse_picture(source, "its BMP header is of an old kind");
  header.columns = reader.take_little_endian<std::int32_t>();
  header.rows = reader.take_little_endian<std::int32_t>();
  header.top_down = header.rows < 0;
  if (header.top_down) header.rows = -header.rows;
  reader.take(2);
  header.bits = reader.take_little_endian<std::uint16_t>();
  const auto compression = reader.take_little_endian<std::uint32_t>();
  const bool plain =
      compression == kNoCompression || (compression == kBitFields && header.bits == 32);
  if (!plain) refuse_picture(source, "it is a compressed BMP");
  reader.take(12);
  auto colours = reader.take_little_endian<std::uint32_t>();
  constexpr std::array<std::uint16_t, 5> kKnownBits{1, 4, 8, 24, 32};
  if (std::find(kKnownBits.begin(), kKnownBits.end(), header.bits) == kKnownBits.end()) {
    refuse_picture(source, "it has " + std::to_string(header.bits) + " bits a pixel");
  }
  if (header.bits > 8) return header;
  const std::uint32_t most = 1U << header.bits;
  if (colours == 0 || colours > most) colours = most;
  reader.seek(kFileHeader + size);
  for (std::uint32_t i = 0; i < colours; ++i) {
    const Bytes entry = reader.take(4);
    header.palette.push_back({entry[0], entry[1], entry[2], entry[3]});
  }
  return header;
}

/// The lightness of pixel `column` in a row of a BMP file.
std::uint8_t bmp_pixel(const BmpHeader& header, Bytes row, std::size_t column,
                       const std::string& source) {
  if (header.bits > 8) {
    const std::size_t place = column * (header.bits / 8);
    return lightness(row[place + 2], row[place + 1], row[place]);
  }
  const std::size_t bit = column * header.bits;
  const unsigned shift = 8U - header.bits - static_cast<unsigned>(bit % 8);
  const std::size_t index = std::uint32_t{row[bit / 8]} >> shift & ((1U << header.bits) - 1);
  if (index >= header.palette.size()) refuse_picture(source, "a colour is not in its palette");
  const auto& colour = header.palette[index];
  return lightness(colour[2], colour[1], colour[0]);
}

}  // namespace

void refuse_picture(const std::string& source, const std::string& reason) {
  throw Error(source + ": is no PNG, JPEG, BMP, PGM or PPM image that can be read (" + reason +
              ")");
}

void check_picture_size(std::int64_t rows, std::int64_t columns, const std::string& source) {
  if (rows <= 0 || columns <= 0 || rows > kMostPicturePixels / columns) {
    throw Error(source + ": has " + std::to_string(columns) + "x" + std::to_string(rows) +
                " pixels; at most " + std::to_string(kMostPicturePixels) +
                " are read: make it smaller");
  }
}

Picture blank_picture(std::int64_t rows, std::int64_t columns, const std::string& source) {
  check_picture_size(rows, columns, source);
  const auto pixels = static_cast<std::size_t>(rows * columns);
  return {rows, columns, std::vector<std::uint8_t>(pixels, 255),
          std::vector<std::uint8_t>(pixels, 255)};
}

std::uint8_t lightness(std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
  return static_cast<std::uint8_t>((299 * red + 587 * green + 114 * blue + 500) / 1000);
}

Picture decode_pnm(Bytes file, const std::string& source) {
  ByteReader reader(file, source);
  const std::size_t channels = reader.take(2)[1] == '6' ? 3 : 1;
  const std::int64_t columns = take_header_number(reader, source);
  const std::int64_t rows = take_header_number(reader, source);
  const std::uint32_t largest = take_header_number(reader, source);
  if (largest == 0 || largest > 65535) refuse_picture(source, "its largest value is not allowed");
  const std::size_t width = largest > 255 ? 2 : 1;
  check_picture_size(rows, columns, source);
  // Before memory is taken: a header is short, and can claim anything.
  if (reader.remaining() < static_cast<std::size_t>(rows * columns) * channels * width) {
    refuse_picture(source, "it is cut off");
  }
  Picture picture = blank_picture(rows, columns, source);
  for (std::uint8_t& light : picture.light) {
    std::array<std::uint32_t, 3> values{};
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const std::uint32_t value = width == 2 ? reader.take_big_endian<std::uint16_t>()
                                             : reader.take_big_endian<std::uint8_t>();
      values[channel] = std::min(value, largest) * 255 / largest;
    }
    light = channels == 1 ? static_cast<std::uint8_t>(values[0])
                          : lightness(values[0], values[1], values[2]);
  }
  return picture;
}

Picture decode_bmp(Bytes file, const std::string& source) {
  const BmpHeader header = take_bmp_header(file, source);
  check_picture_size(header.rows, header.columns, source);
  ByteReader reader(file, source);
  reader.seek(header.pixels_at);
  const auto row_bytes = static_cast<std::size_t>((header.columns * header.bits + 31) / 32 * 4);
  if (reader.remaining() / row_bytes < static_cast<std::size_t>(header.rows)) {
    refuse_picture(source, "it is cut off");
  }
  Picture picture = blank_picture(header.rows, header.columns, source);
  for (std::int64_t i = 0; i < header.rows; ++i) {
    const Bytes row = reader.take(row_bytes);
    const std::int64_t target = header.top_down ? i : header.rows - 1 - i;
    for (std::int64_t column = 0; column < header.columns; ++column) {
      picture.light[static_cast<std::size_t>(target * header.columns + column)] =
          bmp_pixel(header, row, static_cast<std::size_t>(column), source);
    }
  }
  return picture;
}

}  // namespace mnist
