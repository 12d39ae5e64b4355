// Images that people have: PNG by libpng, JPEG by libjpeg-turbo, the simple rest by ourselves.
#include "imaging/picture.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <png.h>
#include <turbojpeg.h>

#include "imaging/bmp_pnm.hpp"
#include "mnist/support/error.hpp"

namespace mnist {
namespace {

constexpr std::uint64_t kLargestFile = 256 << 20;

/// Takes values of red, green, blue and opacity over.
void set_pixels(Picture& picture, const std::uint8_t* rgba) {
  for (std::size_t i = 0; i < picture.light.size(); ++i) {
    const std::uint8_t* const pixel = rgba + 4 * i;
    picture.light[i] =
        static_cast<std::uint8_t>((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
    picture.opacity[i] = pixel[3];
  }
}

bool starts_with(Bytes file, std::string_view magic) {
  return file.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

Picture decode_png(Bytes file, const std::string& source) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_imagep)> freed(&image, png_image_free);
  if (png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0) {
    refuse_picture(source, image.message);
  }
  Picture picture = blank_picture(image.height, image.width, source);
  image.format = PNG_FORMAT_RGBA;
  std::vector<std::uint8_t> rgba(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, rgba.data(), 0, nullptr) == 0) {
    refuse_picture(source, image.message);
  }
  set_pixels(picture, rgba.data());
  return picture;
}

Picture decode_jpeg(Bytes file, const std::string& source) {
  const std::unique_ptr<void, int (*)(tjhandle)> decoder(tjInitDecompress(), tjDestroy);
  if (decoder == nullptr) throw std::bad_alloc();
  int columns = 0;
  int rows = 0;
  int subsampling = 0;
  int colours = 0;
  if (tjDecompressHeader3(decoder.get(), file.data(), file.size(), &columns, &rows, &subsampling,
                          &colours) != 0) {
    refuse_picture(source, tjGetErrorStr2(decoder.get()));
  }
  Picture picture = blank_picture(rows, columns, source);
  // Without a limit on scans, a small progressive file could take hours.
  if (tjDecompress2(decoder.get(), file.data(), file.size(), picture.light.data(), columns,
                    /*pitch=*/0, rows, TJPF_GRAY, TJFLAG_LIMITSCANS) != 0) {
    refuse_picture(source, tjGetErrorStr2(decoder.get()));
  }
  return picture;
}

}  // namespace

Picture decode_picture(Bytes file, const std::string& source) {
  if (file.size() > kLargestFile) {
    throw Error(source + ": has " + std::to_string(file.size()) +
                " bytes, more than any image that is read");
  }
  if (starts_with(file, "\x89PNG")) return decode_png(file, source);
  if (starts_with(file, "\xFF\xD8")) return decode_jpeg(file, source);
  if (starts_with(file, "BM")) return decode_bmp(file, source);
  if (starts_with(file, "P5") || starts_with(file, "P6")) return decode_pnm(file, source);
  refuse_picture(source, "it begins like none of them");
}

Picture read_picture(const std::string& path) {
  return decode_picture(read_whole_file(path, kLargestFile), path);
}

std::vector<std::uint8_t> png_bytes(const std::vector<std::uint8_t>& values, std::int64_t rows,
                                    std::int64_t columns, std::int64_t channels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(columns);
  image.height = static_cast<png_uint_32>(rows);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, values.data(), 0, nullptr) == 0) {
    throw Error(std::string("libpng cannot write an image: ") + image.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace mnist
