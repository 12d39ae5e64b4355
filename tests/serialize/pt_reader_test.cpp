// .pt files made byte by byte; the interoperation tests read what PyTorch wrote.
#include <cmath>
#include <limits>

#include "archives.hpp"
#include "mnist/support/error.hpp"
#include "serialize/formats.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

const std::string kSixFloats = record_of<float>({1, 2, 3, 4, 5, 6});

PickledTensor matrix(const std::string& name) {
  return {.name = name, .elements = 6, .shape = {2, 3}, .strides = {3, 1}};
}

/// A file with these tensors, the storage "0" and other records.
std::vector<std::uint8_t> file(const std::vector<PickledTensor>& tensors,
                               const std::string& storage = kSixFloats,
                               std::vector<ZipRecord> others = {}) {
  others.push_back({"m/data.pkl", pickled(tensors)});
  others.push_back({"m/data/0", storage});
  return zip(others);
}

void expect_pt_refused(const std::vector<std::uint8_t>& bytes, std::string_view words) {
  expect_throws<Error>([&] { read_pt(bytes); }, words);
}

TEST(ReadPt, ReadsTensorsAndInformation) {
  const auto bytes =
      file({matrix("a.weight")}, kSixFloats, {{"m/byteorder", "little"}, {"m/mnist.json", "{}"}});
  const StoredTensors read = read_pt(bytes);
  ASSERT_EQ(read.tensors.size(), 1U);
  EXPECT_EQ(read.tensors[0].name, "a.weight");
  EXPECT_EQ(read.tensors[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(read.tensors[0].values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(read.info, "{}");
}

TEST(ReadPt, ReadsTransposedAndOffsetTensorsOfEveryType) {
  PickledTensor tensor{.name = "a", .elements = 6, .offset = 1, .shape = {2, 2}, .strides = {1, 2}};
  EXPECT_EQ(read_pt(file({tensor})).tensors[0].values, (std::vector<float>{2, 4, 3, 5}));
  tensor.storage_type = "DoubleStorage";
  EXPECT_EQ(read_pt(file({tensor}, record_of<double>({1, 2, 3, 4, 5, 6}))).tensors[0].values,
            (std::vector<float>{2, 4, 3, 5}));
  tensor.storage_type = "BFloat16Storage";
  tensor.elements = 5;
  EXPECT_EQ(read_pt(file({tensor}, record_of<std::uint16_t>({0, 0x3f80, 0, 0x4000, 0})))
                .tensors[0]
                .values,
            (std::vector<float>{1, 2, 0, 0}));
  tensor.storage_type = "LongStorage";
  expect_pt_refused(file({tensor}), "is stored as torch.LongStorage");
}

TEST(ReadPt, FindsTheStateDictOfACheckpoint) {
  // {KEY: {...}, "epoch": 3}, with the state dict's own pickle inside, without its frame.
  for (const std::string key : {"model", "state_dict", "model_state_dict"}) {
    const std::string inner = pickled({matrix("a")});
    ByteWriter pickle;
    pickle.text("\x80\x02}");
    append_pickled(pickle, key);
    pickle.text(inner.substr(2, inner.size() - 3) + "s");
    append_pickled(pickle, std::string("epoch"));
    append_pickled(pickle, std::int64_t{3});
    pickle.text("s.");
    const std::string text(pickle.bytes.begin(), pickle.bytes.end());
    EXPECT_EQ(read_pt(zip({{"m/data.pkl", text}, {"m/data/0", kSixFloats}})).tensors.size(), 1U)
        << key;
  }
  expect_pt_refused(zip({{"m/data.pkl", "\x80\x02}."}}), "has no state dict");
}

TEST(ReadPt, RefusesBigEndianFilesAndTorchScript) {
  expect_pt_refused(file({matrix("a")}, kSixFloats, {{"m/byteorder", "big"}}), "is big-endian");
  expect_pt_refused(file({matrix("a")}, kSixFloats, {{"m/constants.pkl", ""}}),
                    "is a TorchScript archive");
  expect_pt_refused(zip({{"data.pkl", pickled({matrix("a")})}}), "without data.pkl");
}

TEST(ReadPt, RefusesNumbersBesideTensors) {
  std::string pickle = pickled({matrix("a")});
  pickle.pop_back();  // the end
  pickle += std::string("X\1\0\0\0bK\1s.", 10);
  expect_pt_refused(zip({{"m/data.pkl", pickle}, {"m/data/0", kSixFloats}}),
                    "has an entry that is not a named tensor");
}

TEST(ReadPt, RefusesStoragesOfAnotherSize) {
  for (const std::int64_t elements : {5, 7, -6}) {
    PickledTensor tensor = matrix("a");
    tensor.elements = elements;
    tensor.shape = {1};
    tensor.strides = {1};
    expect_pt_refused(file({tensor}), "its storage has 24 bytes");
  }
  expect_pt_refused(file({matrix("a")}, kSixFloats + "x"), "its storage has 25 bytes");
  PickledTensor missing = matrix("a");
  missing.key = "1";
  expect_pt_refused(file({missing}), "has no record 'm/data/1'");
}

TEST(ReadPt, BoundsTheMemoryOfTensorsThatShareAStorage) {
  const std::string storage(1 << 16, '\0');
  std::vector<PickledTensor> tensors;
  for (int i = 0; i < 40; ++i) {
    tensors.push_back(
        {.name = std::to_string(i), .elements = 1 << 14, .shape = {1 << 14}, .strides = {1}});
  }
  expect_pt_refused(file(tensors, storage), "shares its storage with too many tensors");
  tensors.resize(3);
  EXPECT_EQ(read_pt(file(tensors, storage)).tensors.size(), 3U);
}

}  // namespace
}  // namespace mnist
