// Images that people have.
#include "imaging/picture.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(Picture, PngComesBackAsItWas) {
  const std::vector<std::uint8_t> grey{0, 50, 100, 150, 200, 255};
  const Picture picture = decode_picture(png_bytes(grey, 2, 3, 1), "a.png");
  EXPECT_EQ(picture.rows, 2);
  EXPECT_EQ(picture.columns, 3);
  EXPECT_EQ(picture.light, grey);
  EXPECT_EQ(picture.opacity, std::vector<std::uint8_t>(6, 255));
}

TEST(Picture, ColoursBecomeTheirLightness) {
  const Picture picture =
      decode_picture(png_bytes({255, 0, 0, 0, 255, 0, 0, 0, 255}, 1, 3, 3), "a");
  // Rec. 601: 0.299, 0.587, 0.114, in whole 256ths.
  EXPECT_NEAR(picture.light[0], 76, 1);
  EXPECT_NEAR(picture.light[1], 149, 1);
  EXPECT_NEAR(picture.light[2], 29, 1);
}

TEST(Picture, OtherFilesAreRefusedByName) {
  for (const std::string& content : {std::string(), std::string("hello"), std::string("GIF89a")}) {
    expect_throws<Error>([&] { decode_picture(to_bytes(content), "dir/a.gif"); },
                         "dir/a.gif: is no PNG, JPEG, BMP, PGM or PPM image that can be read");
  }
  auto cut = png_bytes(std::vector<std::uint8_t>(100, 3), 10, 10, 1);
  cut.resize(cut.size() / 2);
  expect_throws<Error>([&] { decode_picture(cut, "cut.png"); }, "cut.png: is no PNG");
}

TEST(Picture, ClaimsOfManyPixelsAreRefusedBeforeAnythingIsAllocated) {
  expect_throws<Error>([] { decode_picture(to_bytes("P5\n60000 60000\n255\n"), "bomb.pgm"); },
                       "bomb.pgm: has 60000x60000 pixels; at most 64000000 are read");
}

}  // namespace
}  // namespace mnist
