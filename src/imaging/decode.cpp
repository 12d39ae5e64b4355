// PNG by libpng, JPEG by libjpeg-turbo, the uncompressed formats by bmp_pnm.
#include "imaging/decode.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <png.h>
#include <string_view>
#include <turbojpeg.h>

#include "imaging/bmp_pnm.hpp"
#include "mnist/support/error.hpp"
#include "support/files.hpp"

namespace mnist {
namespace {

constexpr std::uint64_t kMaxFileBytes = 256 << 20;

bool starts_with(Bytes file, std::string_view magic) {
  return file.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

GrayImage decode_png(Bytes file, const std::string& source) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_imagep)> freed(&png, png_image_free);
  if (png_image_begin_read_from_memory(&png, file.data(), file.size()) == 0) {
    fail_decoding(source, png.message);
  }
  check_image_size(png.height, png.width, source);
  png.format = PNG_FORMAT_RGBA;
  std::vector<std::uint8_t> rgba(PNG_IMAGE_SIZE(png));
  if (png_image_finish_read(&png, nullptr, rgba.data(), 0, nullptr) == 0) {
    fail_decoding(source, png.message);
  }
  GrayImage image = opaque_image(png.height, png.width);
  for (std::size_t i = 0; i < image.luma.size(); ++i) {
    const std::uint8_t* const pixel = &rgba[4 * i];
    image.luma[i] = rec601_luma(pixel[0], pixel[1], pixel[2]);
    image.alpha[i] = pixel[3];
  }
  return image;
}

GrayImage decode_jpeg(Bytes file, const std::string& source) {
  const std::unique_ptr<void, int (*)(tjhandle)> decoder(tjInitDecompress(), tjDestroy);
  if (decoder == nullptr) throw std::bad_alloc();
  int columns = 0;
  int rows = 0;
  int subsampling = 0;
  int colorspace = 0;
  if (tjDecompressHeader3(decoder.get(), file.data(), file.size(), &columns, &rows, &subsampling,
                          &colorspace) != 0) {
    fail_decoding(source, tjGetErrorStr2(decoder.get()));
  }
  check_image_size(rows, columns, source);
  GrayImage image = opaque_image(rows, columns);
  // Without a limit on scans, a small progressive file could take hours.
  if (tjDecompress2(decoder.get(), file.data(), file.size(), image.luma.data(), columns,
                    /*pitch=*/0, rows, TJPF_GRAY, TJFLAG_LIMITSCANS) != 0) {
    fail_decoding(source, tjGetErrorStr2(decoder.get()));
  }
  return image;
}

}  // namespace

GrayImage decode_image(Bytes file, const std::string& source) {
  if (file.size() > kMaxFileBytes) {
    throw Error(source + ": has " + std::to_string(file.size()) + " bytes; at most " +
                std::to_string(kMaxFileBytes) + " are supported");
  }
  if (starts_with(file, "\x89PNG")) return decode_png(file, source);
  if (starts_with(file, "\xFF\xD8")) return decode_jpeg(file, source);
  if (starts_with(file, "BM")) return decode_bmp(file, source);
  if (starts_with(file, "P5") || starts_with(file, "P6")) return decode_pnm(file, source);
  throw Error(source + ": unrecognized image format; expected PNG, JPEG, BMP, PGM or PPM");
}

GrayImage read_image(const std::string& path) {
  return decode_image(read_whole_file(path, kMaxFileBytes), path);
}

}  // namespace mnist
