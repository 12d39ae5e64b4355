// Users' images of every format, and files that are none.
#include "imaging/decode.hpp"

#include "imaging/png_writer.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(Decode, PngRoundTrips) {
  const std::vector<std::uint8_t> gray{0, 50, 100, 150, 200, 255};
  const GrayImage image = decode_image(encode_png(gray, 2, 3, 1), "a.png");
  EXPECT_EQ(image.rows, 2);
  EXPECT_EQ(image.columns, 3);
  EXPECT_EQ(image.luma, gray);
  EXPECT_EQ(image.alpha, std::vector<std::uint8_t>(6, 255));
}

TEST(Decode, ColorsBecomeLuma) {
  const GrayImage image = decode_image(encode_png({255, 0, 0, 0, 255, 0, 0, 0, 255}, 1, 3, 3), "a");
  // Rec. 601: 0.299, 0.587, 0.114.
  EXPECT_NEAR(image.luma[0], 76, 1);
  EXPECT_NEAR(image.luma[1], 149, 1);
  EXPECT_NEAR(image.luma[2], 29, 1);
}

TEST(Decode, RejectsOtherFilesByName) {
  for (const std::string& content : {std::string(), std::string("hello"), std::string("GIF89a")}) {
    expect_throws<Error>(
        [&] { decode_image(to_bytes(content), "dir/a.gif"); },
        "dir/a.gif: unrecognized image format; expected PNG, JPEG, BMP, PGM or PPM");
  }
  auto truncated = encode_png(std::vector<std::uint8_t>(100, 3), 10, 10, 1);
  truncated.resize(truncated.size() / 2);
  expect_throws<Error>([&] { decode_image(truncated, "truncated.png"); },
                       "truncated.png: cannot be decoded: ");
}

TEST(Decode, RejectsHugeSizesBeforeAllocating) {
  expect_throws<Error>([] { decode_image(to_bytes("P5\n60000 60000\n255\n"), "bomb.pgm"); },
                       "bomb.pgm: has 60000x60000 pixels; at most 64000000 are supported");
}

}  // namespace
}  // namespace mnist
