// Users' images of every format, and files that are not images. BMP and PNM byte by byte;
// tests/cli/predict.py reads files that other programs wrote.
#include "imaging/image_file.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

using namespace std::string_literals;

TEST(Decode, PngRoundTrips) {
  const std::vector<std::uint8_t> gray{0, 50, 100, 150, 200, 255};
  const GrayImage image = decode_image(encode_png(gray, 2, 3, 1));
  EXPECT_EQ(image.rows, 2);
  EXPECT_EQ(image.columns, 3);
  EXPECT_EQ(image.luma, gray);
  EXPECT_EQ(image.alpha, std::vector<std::uint8_t>(6, 255));
}

TEST(Decode, ColorsBecomeLuma) {
  const GrayImage image = decode_image(encode_png({255, 0, 0, 0, 255, 0, 0, 0, 255}, 1, 3, 3));
  // Rec. 601: 0.299, 0.587, 0.114.
  EXPECT_NEAR(image.luma[0], 76, 1);
  EXPECT_NEAR(image.luma[1], 149, 1);
  EXPECT_NEAR(image.luma[2], 29, 1);
}

TEST(Decode, RejectsOtherFilesByName) {
  const TemporaryDirectory directory;
  for (const std::string& content : {std::string(), std::string("hello"), std::string("GIF89a")}) {
    write_bytes(directory / "a.gif", to_bytes(content));
    expect_throws<Error>([&] { read_image(directory / "a.gif"); },
                         "a.gif: unrecognized image format; expected PNG, JPEG, BMP, PGM or PPM");
  }
  auto truncated = encode_png(std::vector<std::uint8_t>(100, 3), 10, 10, 1);
  truncated.resize(truncated.size() / 2);
  expect_throws<Error>([&] { decode_image(truncated); }, "cannot be decoded: ");
}

TEST(Decode, RejectsHugeSizesBeforeAllocating) {
  expect_throws<Error>([] { decode_image(to_bytes("P5\n60000 60000\n255\n")); },
                       "has 60000x60000 pixels; at most 64000000 are supported");
}

/// A BMP file of `bits` bits per pixel; `palette` and `pixels` are copied into it.
std::vector<std::uint8_t> bmp(int columns, int rows, char bits, const std::string& palette,
                              const std::string& pixels) {
  const auto number = [](int value) {
    std::string bytes;
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 255);
    return bytes;
  };
  std::string file = "BM" + std::string(8, '\0');
  file += number(54 + static_cast<int>(palette.size()));
  file += number(40) + number(columns) + number(rows) + "\x01\0"s + bits + "\0"s;
  file += std::string(16, '\0') + number(static_cast<int>(palette.size() / 4)) + number(0);
  return to_bytes(file + palette + pixels);
}

std::vector<std::uint8_t> luma_of_bmp(const std::vector<std::uint8_t>& file) {
  return decode_image(file).luma;
}

TEST(Bmp, RowsAreBottomUpUnlessTheHeightIsNegative) {
  const std::string pixels = "\x0a\x0a\x0a\0\x14\x14\x14\0"s;  // two rows of one pixel, padded
  EXPECT_EQ(luma_of_bmp(bmp(1, 2, 24, "", pixels)), (std::vector<std::uint8_t>{20, 10}));
  EXPECT_EQ(luma_of_bmp(bmp(1, -2, 24, "", pixels)), (std::vector<std::uint8_t>{10, 20}));
}

TEST(Bmp, ColorsAreBlueGreenRed) {
  EXPECT_EQ(luma_of_bmp(bmp(1, 1, 32, "", "\xff\0\0\0"s))[0], 29);
  EXPECT_EQ(luma_of_bmp(bmp(1, 1, 32, "", "\0\0\xff\0"s))[0], 76);
}

TEST(Bmp, PixelsIndexThePalette) {
  const std::string palette = "\0\0\0\0\xff\xff\xff\0"s;
  EXPECT_EQ(luma_of_bmp(bmp(3, 1, 1, palette, "\xa0\0\0\0"s)),
            (std::vector<std::uint8_t>{255, 0, 255}));
  EXPECT_EQ(luma_of_bmp(bmp(3, 1, 4, palette, "\x01\x10\0\0"s)),
            (std::vector<std::uint8_t>{0, 255, 255}));
  expect_throws<Error>([&] { luma_of_bmp(bmp(1, 1, 8, palette, "\x02\0\0\0"s)); },
                       "cannot be decoded: a color is not in its palette");
}

TEST(Bmp, RejectsTruncatedFiles) {
  auto file = bmp(9, 9, 24, "", std::string(28 * 9, '\0'));
  EXPECT_EQ(luma_of_bmp(file).size(), 81U);
  for (const std::size_t size :
       {file.size() - 1, std::size_t{54}, std::size_t{20}, std::size_t{2}}) {
    file.resize(size);
    EXPECT_THROW(luma_of_bmp(file), Error) << size;
  }
  EXPECT_THROW(luma_of_bmp(bmp(0, 1, 24, "", "")), Error);
  EXPECT_THROW(luma_of_bmp(bmp(-1, 1, 24, "", "")), Error);
}

TEST(Bmp, AcceptsVeryLongRows) {
  constexpr int kColumns = 2'000'000;
  const std::string palette = "\0\0\0\0\xff\xff\xff\0"s;
  const std::string row(kColumns / 8, '\xff');
  const auto luma = luma_of_bmp(bmp(kColumns, 1, 1, palette, row));
  EXPECT_EQ(luma, std::vector<std::uint8_t>(kColumns, 255));
  EXPECT_THROW(luma_of_bmp(bmp(kColumns, 1, 1, palette, row.substr(4))), Error);
  expect_throws<Error>([&] { luma_of_bmp(bmp(64'000'001, 1, 1, palette, row)); },
                       "has 64000001x1 pixels; at most 64000000 are supported");
}

TEST(Pnm, AcceptsCommentsWhitespaceAndBothDepths) {
  const auto luma = [](const std::string& file) { return decode_image(to_bytes(file)).luma; };
  EXPECT_EQ(luma("P5 2 1 255\n\x07\xff"), (std::vector<std::uint8_t>{7, 255}));
  EXPECT_EQ(luma("P5\n# a comment\n2\t1\n# another\n1\n\x01\0"s),
            (std::vector<std::uint8_t>{255, 0}));
  EXPECT_EQ(luma("P5 1 1 65535\n\x80\0"s), (std::vector<std::uint8_t>{127}));
  EXPECT_EQ(luma("P5 2 1 256\n\0\x80\x01\0"s), (std::vector<std::uint8_t>{127, 255}));
  EXPECT_EQ(luma("P6 1 1 255\n\xff\0\0"s), (std::vector<std::uint8_t>{76}));
}

TEST(Pnm, RejectsDamagedFiles) {
  for (const std::string& file :
       {"P5 2 1 255\n\x07"s, "P5 2 1"s, "P5 2 1 0\n\0\0"s, "P5 2 1 70000\n\0\0\0\0"s,
        "P5 2 x 255\n\0\0"s, "P5 99999999999 1 255\n"s, "P5 0 0 255\n"s, "P5 60000 60000 255\n"s}) {
    EXPECT_THROW(decode_image(to_bytes(file)), Error) << file;
  }
}

}  // namespace
}  // namespace mnist
