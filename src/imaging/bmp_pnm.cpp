// Our own decoder: libjpeg-turbo's tjLoadImage reads only named files, and no 1- or 4-bit bitmaps.
#include "imaging/bmp_pnm.hpp"

#include <algorithm>

namespace mnist {
namespace {

/// The next number of a PNM header; a comment lasts from "#" to the end of the line.
std::uint32_t take_header_number(ByteReader& reader, const std::string& source) {
  constexpr std::uint32_t kMaxNumber = 100'000'000;
  const auto take = [&] { return static_cast<char>(reader.take(1)[0]); };
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  char letter = take();
  while (is_space(letter) || letter == '#') {
    if (letter == '#') reader.take_line();
    letter = take();
  }
  std::uint32_t number = 0;
  for (; letter >= '0' && letter <= '9'; letter = take()) {
    number = 10 * number + static_cast<std::uint32_t>(letter - '0');
    if (number > kMaxNumber) fail_decoding(source, "a number in its header is too large");
  }
  if (!is_space(letter)) fail_decoding(source, "its header is damaged");
  return number;
}

/// Throws unless `rows` rows of `row_bytes` bytes follow. Called before memory is allocated, as a
/// short header can claim any size.
void check_not_truncated(const ByteReader& reader, std::int64_t rows, std::size_t row_bytes,
                         const std::string& source) {
  if (reader.remaining() / row_bytes < static_cast<std::size_t>(rows)) {
    fail_decoding(source, "it is truncated");
  }
}

struct BmpHeader {
  std::uint32_t pixels_offset = 0;  ///< from the start of the file
  std::int64_t columns = 0;
  std::int64_t rows = 0;
  bool top_down = false;
  std::uint16_t bits = 0;             ///< per pixel
  std::vector<std::uint8_t> palette;  ///< luma of each color; empty above 8 bits
};

BmpHeader take_bmp_header(ByteReader& reader, const std::string& source) {
  constexpr std::uint32_t kFileHeaderBytes = 14;
  constexpr std::uint32_t kInfoHeaderBytes = 40;
  constexpr std::uint32_t kNoCompression = 0;
  constexpr std::uint32_t kBitFields = 3;  // the usual masks are those of no compression
  BmpHeader header;
  reader.seek(10);
  header.pixels_offset = reader.take_little_endian<std::uint32_t>();
  const auto header_bytes = reader.take_little_endian<std::uint32_t>();
  if (header_bytes < kInfoHeaderBytes) fail_decoding(source, "its BMP version is too old");
  header.columns = reader.take_little_endian<std::int32_t>();
  header.rows = reader.take_little_endian<std::int32_t>();
  header.top_down = header.rows < 0;
  if (header.top_down) header.rows = -header.rows;
  reader.take(2);
  header.bits = reader.take_little_endian<std::uint16_t>();
  const auto compression = reader.take_little_endian<std::uint32_t>();
  if (compression != kNoCompression && !(compression == kBitFields && header.bits == 32)) {
    fail_decoding(source, "compressed BMP files are not supported");
  }
  reader.take(12);
  auto colors = reader.take_little_endian<std::uint32_t>();
  if (header.bits == 24 || header.bits == 32) return header;
  if (header.bits != 1 && header.bits != 4 && header.bits != 8) {
    fail_decoding(source, "BMP files of " + std::to_string(header.bits) +
                              " bits per pixel are not supported");
  }
  const std::uint32_t max_colors = 1U << header.bits;
  if (colors == 0 || colors > max_colors) colors = max_colors;
  reader.seek(kFileHeaderBytes + std::size_t{header_bytes});
  for (std::uint32_t i = 0; i < colors; ++i) {
    const Bytes color = reader.take(4);  // blue, green, red, unused
    header.palette.push_back(rec601_luma(color[2], color[1], color[0]));
  }
  return header;
}

std::uint8_t bmp_luma(const BmpHeader& header, Bytes row, std::size_t column,
                      const std::string& source) {
  if (header.bits > 8) {
    const Bytes pixel = row.subspan(column * (header.bits / 8));  // blue, green, red
    return rec601_luma(pixel[2], pixel[1], pixel[0]);
  }
  const std::size_t bit = column * header.bits;
  const unsigned shift = 8U - header.bits - static_cast<unsigned>(bit % 8);
  const std::size_t color = std::uint32_t{row[bit / 8]} >> shift & ((1U << header.bits) - 1);
  if (color >= header.palette.size()) fail_decoding(source, "a color is not in its palette");
  return header.palette[color];
}

}  // namespace

GrayImage decode_pnm(Bytes file, const std::string& source) {
  ByteReader reader(file, source);
  const std::size_t channels = reader.take(2)[1] == '6' ? 3 : 1;
  const std::int64_t columns = take_header_number(reader, source);
  const std::int64_t rows = take_header_number(reader, source);
  const std::uint32_t max_value = take_header_number(reader, source);
  if (max_value == 0 || max_value > 65535) {
    fail_decoding(source, "its maximum value is not in 1 to 65535");
  }
  const std::size_t sample_bytes = max_value > 255 ? 2 : 1;
  check_image_size(rows, columns, source);
  check_not_truncated(reader, rows, static_cast<std::size_t>(columns) * channels * sample_bytes,
                      source);
  const auto take_sample = [&] {
    const std::uint32_t value = sample_bytes == 2 ? reader.take_big_endian<std::uint16_t>()
                                                  : reader.take_big_endian<std::uint8_t>();
    return std::min(value, max_value) * 255 / max_value;
  };
  GrayImage image = opaque_image(rows, columns);
  for (std::uint8_t& luma : image.luma) {
    const std::uint32_t first = take_sample();
    if (channels == 1) {
      luma = static_cast<std::uint8_t>(first);
      continue;
    }
    const std::uint32_t green = take_sample();
    luma = rec601_luma(first, green, take_sample());
  }
  return image;
}

GrayImage decode_bmp(Bytes file, const std::string& source) {
  ByteReader reader(file, source);
  const BmpHeader header = take_bmp_header(reader, source);
  check_image_size(header.rows, header.columns, source);
  reader.seek(header.pixels_offset);
  const auto row_bytes = static_cast<std::size_t>((header.columns * header.bits + 31) / 32 * 4);
  check_not_truncated(reader, header.rows, row_bytes, source);
  GrayImage image = opaque_image(header.rows, header.columns);
  for (std::int64_t i = 0; i < header.rows; ++i) {
    const Bytes row = reader.take(row_bytes);
    const std::int64_t target = header.top_down ? i : header.rows - 1 - i;
    for (std::int64_t column = 0; column < header.columns; ++column) {
      image.luma[static_cast<std::size_t>(target * header.columns + column)] =
          bmp_luma(header, row, static_cast<std::size_t>(column), source);
    }
  }
  return image;
}

}  // namespace mnist
