// Safetensors files, valid and malformed.
#include "mnist/support/error.hpp"
#include "serialize/formats.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

/// A file with this header and `size` zero bytes of data.
std::vector<std::uint8_t> file(const std::string& header, std::size_t size) {
  std::vector<std::uint8_t> bytes;
  for (int shift = 0; shift < 64; shift += 8) {
    bytes.push_back(static_cast<std::uint8_t>(std::uint64_t{header.size()} >> shift));
  }
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.resize(bytes.size() + size);
  return bytes;
}

void expect_refused(const std::string& header, std::size_t size, std::string_view words) {
  expect_throws<Error>([&] { read_safetensors(file(header, size)); }, words);
}

TEST(Safetensors, ReadsBackItsOwnFiles) {
  const StateDict state{{"b", {2, 1}, {1, 2}}, {"a", {3}, {3, 4, 5}}, {"scalar", {}, {6}}};
  const auto bytes = safetensors_bytes(state, "{\"x\": \"\\\"\"}");
  EXPECT_EQ((bytes.size() - 6 * sizeof(float)) % 8, 0U);  // the data is aligned
  const StoredTensors read = read_safetensors(bytes);
  ASSERT_EQ(read.tensors.size(), 3U);
  EXPECT_EQ(read.tensors[1].name, "a");
  EXPECT_EQ(read.tensors[0].shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(read.tensors[1].values, (std::vector<float>{3, 4, 5}));
  EXPECT_EQ(read.info, "{\"x\": \"\\\"\"}");
}

TEST(Safetensors, ReadsAnEmptyTensorOfAnyShape) {
  const auto bytes = file(
      R"({"a":{"dtype":"F32","shape":[0,1099511627776,1099511627776],"data_offsets":[0,0]}})", 0);
  const StoredTensors read = read_safetensors(bytes);
  ASSERT_EQ(read.tensors.size(), 1U);
  EXPECT_TRUE(read.tensors[0].values.empty());
}

TEST(Safetensors, ReadsAnEmptyTensorBeforeAnother) {
  const auto bytes = file(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
      8);
  EXPECT_EQ(read_safetensors(bytes).tensors.size(), 2U);
}

TEST(Safetensors, RefusesEveryTruncation) {
  const auto whole = safetensors_bytes({{"a", {3}, {3, 4, 5}}}, "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::uint8_t> cut(whole.begin(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(read_safetensors(cut), Error) << size;
  }
}

TEST(Safetensors, RefusesInvalidHeaders) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(read_safetensors(file(good, 8)).tensors.size(), 1U);
  expect_refused(good, 7, "not a range within the 7 bytes of data");
  expect_refused(good, 9, "has 1 bytes after its last tensor");
  expect_refused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
                 "more than the 2 stored elements");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8,
                 "does not fill its 8 bytes");
  expect_refused(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "negative");
  expect_refused(R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8,
                 "shape is not an array of nonnegative integers");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1e300],"data_offsets":[0,8]}})", 8,
                 "shape is not an array of nonnegative integers");
  expect_refused(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8,
                 "has more than");
  expect_refused(R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8,
                 "is stored as I64");
  expect_refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "not a range");
  expect_refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8,
                 "not an array of nonnegative integers");
  expect_refused(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
      12, "overlap or leave a gap");
  expect_refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12, "gap");
  expect_refused(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      8, "repeats the key 'a'");
  expect_refused(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, "invalid");
  expect_refused(R"([1])", 0, "not a JSON object");
  expect_refused("{", 0, "invalid");
  expect_refused(std::string(2 << 20, ' '), 0, "at most 1048576 are allowed");
  expect_refused(std::string(100'000, '['), 0, "invalid");
}

TEST(Safetensors, RefusesAHeaderSizeBeyondTheFile) {
  std::vector<std::uint8_t> bytes(16, 0xff);
  expect_throws<Error>([&] { read_safetensors(bytes); }, "is not a safetensors file");
}

}  // namespace
}  // namespace mnist
