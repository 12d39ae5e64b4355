// PNG by libpng, JPEG by libjpeg-turbo. BMP and PNM by our own code: libjpeg-turbo's tjLoadImage
// reads only named files, and no 1- or 4-bit bitmaps.
#include "imaging/image_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <png.h>
#include <string_view>
#include <turbojpeg.h>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"
#include "support/files.hpp"

namespace mnist {
namespace {

constexpr std::uint64_t kMaxFileBytes = 256 << 20;
// A file of a few kilobytes can claim any size.
constexpr std::int64_t kMaxImagePixels = 64'000'000;

[[noreturn]] void fail_decoding(const std::string& reason) {
  throw Error("cannot be decoded: " + reason);
}

void check_image_size(std::int64_t rows, std::int64_t columns) {
  if (rows <= 0 || columns <= 0) fail_decoding("it has no pixels");
  if (rows > kMaxImagePixels / columns) {
    throw Error(fmt::format("has {}x{} pixels; at most {} are supported; resize the image", columns,
                            rows, kMaxImagePixels));
  }
}

GrayImage opaque_image(std::int64_t rows, std::int64_t columns) {
  const auto pixels = static_cast<std::size_t>(rows * columns);
  return {rows, columns, std::vector<std::uint8_t>(pixels), std::vector<std::uint8_t>(pixels, 255)};
}

std::uint8_t rec601_luma(std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
  return static_cast<std::uint8_t>((299 * red + 587 * green + 114 * blue + 500) / 1000);
}

GrayImage decode_png(Bytes file) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_imagep)> freed(&png, png_image_free);
  if (png_image_begin_read_from_memory(&png, file.data(), file.size()) == 0) {
    fail_decoding(png.message);
  }
  check_image_size(png.height, png.width);
  png.format = PNG_FORMAT_RGBA;
  std::vector<std::uint8_t> rgba(PNG_IMAGE_SIZE(png));
  if (png_image_finish_read(&png, nullptr, rgba.data(), 0, nullptr) == 0) {
    fail_decoding(png.message);
  }
  GrayImage image = opaque_image(png.height, png.width);
  for (std::size_t i = 0; i < image.luma.size(); ++i) {
    const std::uint8_t* const pixel = &rgba[4 * i];
    image.luma[i] = rec601_luma(pixel[0], pixel[1], pixel[2]);
    image.alpha[i] = pixel[3];
  }
  return image;
}

GrayImage decode_jpeg(Bytes file) {
  const std::unique_ptr<void, int (*)(tjhandle)> decoder(tjInitDecompress(), tjDestroy);
  if (decoder == nullptr) throw std::bad_alloc();
  int columns = 0;
  int rows = 0;
  int subsampling = 0;
  int colorspace = 0;
  if (tjDecompressHeader3(decoder.get(), file.data(), file.size(), &columns, &rows, &subsampling,
                          &colorspace) != 0) {
    fail_decoding(tjGetErrorStr2(decoder.get()));
  }
  check_image_size(rows, columns);
  GrayImage image = opaque_image(rows, columns);
  // Without a limit on scans, a small progressive file could take hours.
  if (tjDecompress2(decoder.get(), file.data(), file.size(), image.luma.data(), columns,
                    /*pitch=*/0, rows, TJPF_GRAY, TJFLAG_LIMITSCANS) != 0) {
    fail_decoding(tjGetErrorStr2(decoder.get()));
  }
  return image;
}

/// The next number of a PNM header; a comment lasts from "#" to the end of the line.
std::uint32_t take_header_number(ByteReader& reader) {
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
    if (number > kMaxNumber) fail_decoding("a number in its header is too large");
  }
  if (!is_space(letter)) fail_decoding("its header is damaged");
  return number;
}

struct BmpHeader {
  std::uint32_t pixels_offset = 0;  ///< from the start of the file
  std::int64_t columns = 0;
  std::int64_t rows = 0;              ///< negative when the top row comes first
  std::uint16_t bits = 0;             ///< per pixel
  std::vector<std::uint8_t> palette;  ///< luma of each color; empty above 8 bits
};

BmpHeader take_bmp_header(ByteReader& reader) {
  constexpr std::uint32_t kFileHeaderBytes = 14;
  constexpr std::uint32_t kInfoHeaderBytes = 40;
  constexpr std::uint32_t kBitFields = 3;  // the masks are assumed to be the usual ones
  BmpHeader header;
  reader.seek(10);
  header.pixels_offset = reader.take_little_endian<std::uint32_t>();
  const auto header_bytes = reader.take_little_endian<std::uint32_t>();
  if (header_bytes < kInfoHeaderBytes) fail_decoding("its BMP version is too old");
  header.columns = reader.take_little_endian<std::int32_t>();
  header.rows = reader.take_little_endian<std::int32_t>();
  reader.take(2);
  header.bits = reader.take_little_endian<std::uint16_t>();
  const auto compression = reader.take_little_endian<std::uint32_t>();
  if (compression != 0 && !(compression == kBitFields && header.bits == 32)) {
    fail_decoding("compressed BMP files are not supported");
  }
  reader.take(12);
  auto colors = reader.take_little_endian<std::uint32_t>();
  if (header.bits == 24 || header.bits == 32) return header;
  if (header.bits != 1 && header.bits != 4 && header.bits != 8) {
    fail_decoding(fmt::format("BMP files of {} bits per pixel are not supported", header.bits));
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

std::uint8_t bmp_luma(const BmpHeader& header, Bytes row, std::size_t column) {
  if (header.bits > 8) {
    const Bytes pixel = row.subspan(column * (header.bits / 8));  // blue, green, red
    return rec601_luma(pixel[2], pixel[1], pixel[0]);
  }
  const std::size_t bit = column * header.bits;
  const unsigned shift = 8U - header.bits - static_cast<unsigned>(bit % 8);
  const std::size_t color = std::uint32_t{row[bit / 8]} >> shift & ((1U << header.bits) - 1);
  if (color >= header.palette.size()) fail_decoding("a color is not in its palette");
  return header.palette[color];
}

GrayImage decode_pnm(Bytes file) {
  ByteReader reader(file);
  const std::size_t channels = reader.take(2)[1] == '6' ? 3 : 1;
  const std::int64_t columns = take_header_number(reader);
  const std::int64_t rows = take_header_number(reader);
  const std::uint32_t max_value = take_header_number(reader);
  if (max_value == 0 || max_value > 65535) {
    fail_decoding("its maximum value is not in 1 to 65535");
  }
  const std::size_t sample_bytes = max_value > 255 ? 2 : 1;
  check_image_size(rows, columns);
  const auto pixels = static_cast<std::size_t>(rows * columns);
  ByteReader samples(reader.take(pixels * channels * sample_bytes));
  const auto take_sample = [&] {
    const std::uint32_t value = sample_bytes == 2 ? samples.take_big_endian<std::uint16_t>()
                                                  : samples.take_big_endian<std::uint8_t>();
    return std::min(value, max_value) * 255 / max_value;
  };
  GrayImage image = opaque_image(rows, columns);
  for (std::uint8_t& luma : image.luma) {
    const std::uint32_t red = take_sample();
    const std::uint32_t green = channels == 3 ? take_sample() : red;
    const std::uint32_t blue = channels == 3 ? take_sample() : red;
    luma = rec601_luma(red, green, blue);
  }
  return image;
}

GrayImage decode_bmp(Bytes file) {
  ByteReader reader(file);
  const BmpHeader header = take_bmp_header(reader);
  const std::int64_t rows = std::abs(header.rows);
  check_image_size(rows, header.columns);
  reader.seek(header.pixels_offset);
  const auto row_bytes = static_cast<std::size_t>((header.columns * header.bits + 31) / 32 * 4);
  const Bytes pixels = reader.take(static_cast<std::size_t>(rows) * row_bytes);
  GrayImage image = opaque_image(rows, header.columns);
  auto luma = image.luma.begin();
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t stored_row = header.rows < 0 ? row : rows - 1 - row;
    const Bytes stored =
        pixels.subspan(static_cast<std::size_t>(stored_row) * row_bytes, row_bytes);
    for (std::size_t column = 0; column < static_cast<std::size_t>(header.columns); ++column) {
      *luma++ = bmp_luma(header, stored, column);
    }
  }
  return image;
}

}  // namespace

GrayImage decode_image(Bytes file) {
  const std::string_view text = text_of(file);
  if (text.starts_with("\x89PNG")) return decode_png(file);
  if (text.starts_with("\xFF\xD8")) return decode_jpeg(file);
  if (text.starts_with("BM")) return decode_bmp(file);
  if (text.starts_with("P5") || text.starts_with("P6")) return decode_pnm(file);
  throw Error("unrecognized image format; expected PNG, JPEG, BMP, PGM or PPM");
}

GrayImage read_image(const std::string& path) {
  const std::vector<std::uint8_t> file = read_whole_file(path, kMaxFileBytes);
  return with_source(path, [&] { return decode_image(file); });
}

std::vector<std::uint8_t> encode_png(const std::vector<std::uint8_t>& pixels, std::int64_t rows,
                                     std::int64_t columns, std::int64_t channels) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(columns);
  png.height = static_cast<png_uint_32>(rows);
  png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, pixels.data(), 0, nullptr) == 0) {
    throw Error(std::string("PNG encoding failed: ") + png.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace mnist
