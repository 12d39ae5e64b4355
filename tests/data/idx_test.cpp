// IDX files, valid and corrupted.
#include "mnist/data/idx.hpp"

#include <cstring>

#include "gzip_support.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

using ByteVector = std::vector<std::uint8_t>;

/// Two images of 1x2 pixels.
const ByteVector kImages{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40};

class IdxFile : public ::testing::Test {
 protected:
  std::string file(const ByteVector& bytes) {
    write_bytes(folder_ / "file", bytes);
    return folder_ / "file";
  }
  void expect_refused(const ByteVector& bytes, std::string_view words) {
    expect_throws<Error>([&] { read_idx(file(bytes)); }, words);
  }
  TemporaryDirectory folder_;
};

TEST_F(IdxFile, DetectsGzipByContent) {
  for (const ByteVector& content : {kImages, gzip(kImages)}) {
    const IdxArray array = read_idx(file(content));
    EXPECT_EQ(array.type, IdxType::kU8);
    EXPECT_EQ(array.dimensions, (std::vector<std::uint64_t>{2, 1, 2}));
    EXPECT_EQ(array.bytes, (ByteVector{10, 20, 30, 40}));
  }
}

TEST_F(IdxFile, ReadsPartsOfTheRows) {
  const ByteVector bytes{0, 0, 8, 2, 0, 0, 0, 5, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  for (const ByteVector& content : {bytes, gzip(bytes)}) {
    const std::string path = file(content);
    EXPECT_EQ(read_idx(path, {0, 2}).bytes, (ByteVector{1, 2, 3, 4}));
    EXPECT_EQ(read_idx(path, {1, 2}).bytes, (ByteVector{5, 6, 7, 8, 9, 10}));
    EXPECT_EQ(read_idx(path, {1, 3}).bytes, (ByteVector{3, 4, 5, 6}));
    EXPECT_EQ(read_idx(path, {0, 6}).bytes, ByteVector{});
    EXPECT_EQ(read_idx(path, {0, 6}).dimensions, (std::vector<std::uint64_t>{5, 2}));
  }
  ByteVector damaged = gzip(bytes);
  damaged.back() ^= 1;  // the length behind the data, which all parts check
  expect_throws<Error>([&] { read_idx(file(damaged), {0, 2}); }, "the gzip data is damaged");
}

TEST_F(IdxFile, ReadsEveryElementTypeFromBigEndian) {
  const auto read = [&](std::uint8_t type, const ByteVector& element) {
    ByteVector bytes{0, 0, type, 1, 0, 0, 0, 1};
    bytes.insert(bytes.end(), element.begin(), element.end());
    return read_idx(file(bytes));
  };
  const auto value = [](const IdxArray& array, auto zero) {
    EXPECT_EQ(array.bytes.size(), sizeof(zero));
    std::memcpy(&zero, array.bytes.data(), sizeof(zero));
    return zero;
  };
  EXPECT_EQ(value(read(0x08, {200}), std::uint8_t{0}), 200);
  EXPECT_EQ(value(read(0x09, {0xfe}), std::int8_t{0}), -2);
  EXPECT_EQ(value(read(0x0B, {0xff, 0xfe}), std::int16_t{0}), -2);
  EXPECT_EQ(value(read(0x0C, {0, 1, 0, 2}), std::int32_t{0}), 65538);
  EXPECT_EQ(value(read(0x0D, {0x40, 0x49, 0x0f, 0xdb}), 0.0F), 3.14159274F);
  EXPECT_EQ(value(read(0x0E, {0xc0, 4, 0, 0, 0, 0, 0, 0}), 0.0), -2.5);
}

TEST_F(IdxFile, ReadsMoreThanOneChunkInOrder) {
  constexpr std::size_t kChunk = std::size_t{1} << 26;  // what is read at once
  ByteVector elements(kChunk + 3);
  elements.front() = 1;
  elements[kChunk - 1] = 2;
  elements[kChunk] = 3;
  elements.back() = 4;
  ByteVector bytes{0, 0, 8, 1, 4, 0, 0, 3};
  bytes.insert(bytes.end(), elements.begin(), elements.end());
  for (const ByteVector& content : {bytes, gzip(bytes)}) {
    EXPECT_TRUE(read_idx(file(content)).bytes == elements) << content.size() << " bytes";
  }
}

TEST_F(IdxFile, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < kImages.size(); ++size) {
    const ByteVector cut(kImages.begin(), kImages.begin() + static_cast<std::ptrdiff_t>(size));
    expect_throws<Error>([&] { read_idx(file(cut)); }, "file: ");
    if (size > 0) expect_throws<Error>([&] { read_idx(file(gzip(cut))); }, "file: ");
  }
  const ByteVector compressed = gzip(kImages);
  for (std::size_t size = 2; size < compressed.size(); ++size) {
    expect_refused({compressed.begin(), compressed.begin() + static_cast<std::ptrdiff_t>(size)},
                   "truncated");
  }
}

TEST_F(IdxFile, RefusesTrailingBytes) {
  ByteVector longer = kImages;
  longer.push_back(0);
  expect_refused(longer, "claims 4 bytes of elements, but 5 follow");
  expect_refused(gzip(longer), "longer than its header says");
  ByteVector trailing = gzip(kImages);
  trailing.push_back(0);
  expect_refused(trailing, "file: has 1 bytes of garbage after the gzip data");
}

TEST_F(IdxFile, RefusesDamagedOrShortGzip) {
  ByteVector damaged = gzip(kImages);
  damaged[damaged.size() - 8] ^= 1;  // the checksum
  expect_refused(damaged, "file: the gzip data is damaged");
  expect_refused(gzip(ByteVector(kImages.begin(), kImages.end() - 1)),
                 "file: the decompressed data ends 1 bytes too early");
}

TEST_F(IdxFile, RefusesSizesThatOverflowOrBomb) {
  const ByteVector huge{0, 0, 0x0E, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  expect_refused(huge, "dimensions overflow 64 bits");
  expect_refused(gzip(huge), "dimensions overflow 64 bits");
  const ByteVector large{0, 0, 8, 1, 255, 255, 255, 255};  // 4 GB promised in a few bytes
  expect_refused(large, "claims 4294967295 bytes");
  expect_refused(gzip(large), "bytes of gzip can hold");
}

TEST_F(IdxFile, ReadsWhatCompressesBest) {
  constexpr std::size_t kBytes = 1 << 20;
  ByteVector blank{0, 0, 8, 1, 0, 0x10, 0, 0};
  blank.resize(blank.size() + kBytes);
  const ByteVector compressed = gzip(blank);
  ASSERT_GT(kBytes / compressed.size(), 900U) << "close to the limit of deflate";
  EXPECT_EQ(read_idx(file(compressed)).bytes, ByteVector(kBytes));
}

TEST_F(IdxFile, RefusesOtherFiles) {
  expect_refused({}, "is truncated to 0 bytes");
  expect_refused(to_bytes("<html>no such page</html>"), "is not an IDX file");
  expect_refused({0, 0, 0x0A, 1, 0, 0, 0, 0}, "is not an IDX file");
  expect_refused({0, 0, 8, 0, 0, 0, 0, 0}, "has 0 dimensions");
  expect_throws<Error>([&] { read_idx(folder_.path()); }, "is a directory");
  expect_throws<Error>([&] { read_idx(folder_ / "none"); }, "cannot be opened");
}

}  // namespace
}  // namespace mnist
