// Datasets from directories.
#include "mnist/data/dataset.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "idx_support.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

const std::string kMnistSubset = std::string(MNIST_SOURCE_DIR) + "/data/mnist-subset";
const std::string kFashionSubset = std::string(MNIST_SOURCE_DIR) + "/data/fashion-mnist-subset";

/// A training split of three 2x2 images in its own directory.
class SmallSet : public ::testing::Test {
 protected:
  SmallSet() {
    write_idx(images(), {IdxType::kU8, {3, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}});
    write_idx(labels(), {IdxType::kU8, {3}, {7, 0, 9}});
  }
  std::string images() const { return folder_ / "train-images-idx3-ubyte"; }
  std::string labels() const { return folder_ / "train-labels-idx1-ubyte"; }
  Dataset load() const { return load_dataset(folder_.path(), Split::kTrain); }
  void expect_refused(std::string_view words) {
    expect_throws<Error>([&] { load(); }, words);
  }
  TemporaryDirectory folder_;
};

TEST(Dataset, ReadsTheRealSubsets) {
  const Dataset train = load_dataset(kMnistSubset, Split::kTrain);
  EXPECT_EQ(train.count, 2000);
  EXPECT_EQ(train.rows, 28);
  EXPECT_EQ(train.columns, 28);
  // MNIST's first labels.
  EXPECT_EQ(std::vector<std::uint8_t>(train.labels.begin(), train.labels.begin() + 5),
            (std::vector<std::uint8_t>{5, 0, 4, 1, 9}));
  EXPECT_EQ(load_dataset(kMnistSubset, Split::kTest).labels[0], 7);
  const Dataset garments = load_dataset(kFashionSubset, Split::kTest);
  EXPECT_EQ(garments.count, 500);
  EXPECT_EQ(garments.class_names.at(9), "Ankle boot");
}

TEST_F(SmallSet, GetsNumberedClasses) {
  const Dataset set = load();
  EXPECT_EQ(set.count, 3);
  EXPECT_EQ(set.pixels(), 4);
  EXPECT_EQ(set.classes(), 10);
  EXPECT_EQ(set.class_names[3], "3");
  EXPECT_EQ(set.labels, (std::vector<std::uint8_t>{7, 0, 9}));
}

TEST_F(SmallSet, AcceptsOtherFileNames) {
  std::filesystem::rename(images(), folder_ / "train-images.idx3-ubyte");
  std::filesystem::rename(labels(), folder_ / "train-labels.idx1-ubyte.gz");
  EXPECT_EQ(load().count, 3);
}

TEST_F(SmallSet, ReadsClassNamesFromClassesTxt) {
  std::ofstream(folder_ / "classes.txt") << "a\r\nb\nc\n\nd\ne\nf\ng\nh\ni\nj\nk\n";
  EXPECT_EQ(load().classes(), 11);
  EXPECT_EQ(load().class_names[0], "a");
  std::ofstream(folder_ / "classes.txt") << "only\n";
  expect_refused("names 1 classes, expected 2 to 256");
}

TEST_F(SmallSet, RefusesLabelsWithoutAClass) {
  write_idx(labels(), {IdxType::kU8, {3}, {7, 10, 9}});
  expect_refused("example 1 has label 10, expected 0 to 9");
}

TEST_F(SmallSet, RefusesCountsThatDiffer) {
  write_idx(labels(), {IdxType::kU8, {2}, {7, 0}});
  expect_refused("has 2 labels, but");
}

TEST_F(SmallSet, RefusesOtherTypesAndRanks) {
  write_idx(images(), {IdxType::kU8, {3, 4}, std::vector<std::uint8_t>(12)});
  expect_refused("holds u8 of rank 2, expected images: u8 of rank 3");
  write_idx(images(), {IdxType::kI8, {3, 2, 2}, std::vector<std::uint8_t>(12)});
  expect_refused("holds i8 of rank 3");
}

TEST_F(SmallSet, RefusesAnEmptySet) {
  write_idx(images(), {IdxType::kU8, {0, 2, 2}, {}});
  write_idx(labels(), {IdxType::kU8, {0}, {}});
  expect_refused("has no images");
}

TEST_F(SmallSet, ErrorNamesTheFilesTried) {
  std::filesystem::remove(images());
  expect_refused(
      "contains neither train-images-idx3-ubyte nor train-images.idx3-ubyte, raw or .gz; fetch the "
      "data with scripts/fetch_data.sh");
  expect_throws<Error>([&] { load_dataset(folder_ / "none", Split::kTrain); },
                       "no such directory; fetch the data");
}

class Family : public ::testing::Test {
 protected:
  void write_images(const std::string& name) {
    write_idx(folder_ / name, {IdxType::kU8, {2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}});
  }
  void write_labels(const std::string& name, std::uint8_t first, std::uint8_t second) {
    write_idx(folder_ / name, {IdxType::kU8, {2}, {first, second}});
  }
  TemporaryDirectory folder_;
};

TEST_F(Family, EmnistLettersAreTransposedAndCountedFromZero) {
  write_images("emnist-letters-train-images-idx3-ubyte.gz");
  write_labels("emnist-letters-train-labels-idx1-ubyte.gz", 1, 26);
  const Dataset set = load_dataset(folder_.path(), Split::kTrain);
  EXPECT_EQ(set.labels, (std::vector<std::uint8_t>{0, 25}));
  EXPECT_EQ(set.classes(), 26);
  EXPECT_EQ(set.class_names.front() + set.class_names.back(), "AZ");
  EXPECT_EQ(set.rows, 3);
  EXPECT_EQ(set.columns, 2);
  EXPECT_EQ(set.images, (std::vector<std::uint8_t>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));
  write_labels("emnist-letters-train-labels-idx1-ubyte.gz", 1, 0);
  expect_throws<Error>([&] { load_dataset(folder_.path(), Split::kTrain); },
                       "example 1 has label 0, expected 1 to 26");
}

TEST_F(Family, EmnistHasSeveralDatasets) {
  const std::vector<std::pair<std::string, std::int64_t>> sets{
      {"balanced", 47}, {"byclass", 62}, {"bymerge", 47}, {"digits", 10}, {"mnist", 10}};
  for (const auto& [name, classes] : sets) {
    const std::string prefix = "emnist-" + name + "/emnist-" + name;
    std::filesystem::create_directory(folder_ / ("emnist-" + name));
    write_images(prefix + "-train-images-idx3-ubyte");
    write_labels(prefix + "-train-labels-idx1-ubyte", 0, static_cast<std::uint8_t>(classes - 1));
    const Dataset set = load_dataset(folder_ / ("emnist-" + name), Split::kTrain);
    EXPECT_EQ(set.classes(), classes) << name;
    EXPECT_EQ(set.rows, 3) << name << " is transposed";
    EXPECT_EQ(set.labels[0], 0) << name;
    if (name == "balanced") {
      EXPECT_EQ(set.class_names[46], "t");
    }
  }
}

TEST_F(Family, QmnistLabelsAreTheFirstOfEightNumbers) {
  write_images("qmnist-test-images-idx3-ubyte");
  std::vector<std::uint8_t> labels;
  for (const std::int32_t number : {4, 0, 1, 2, 3, 4, 5, 6, 9, 1, 1, 1, 1, 1, 1, 1}) {
    const auto bytes = std::bit_cast<std::array<std::uint8_t, 4>>(number);
    labels.insert(labels.end(), bytes.begin(), bytes.end());
  }
  write_idx(folder_ / "qmnist-test-labels-idx2-int", {IdxType::kI32, {2, 8}, labels}, 4);
  const Dataset set = load_dataset(folder_.path(), Split::kTest);
  EXPECT_EQ(set.labels, (std::vector<std::uint8_t>{4, 9}));
  EXPECT_EQ(set.classes(), 10);
  EXPECT_EQ(set.images[1], 1) << "not transposed";
  labels[1] = 1;  // 4 + 256
  write_idx(folder_ / "qmnist-test-labels-idx2-int", {IdxType::kI32, {2, 8}, labels}, 4);
  expect_throws<Error>([&] { load_dataset(folder_.path(), Split::kTest); },
                       "example 0 has label 260, expected 0 to 255");
}

TEST_F(Family, DatasetsDoNotMix) {
  write_images("emnist-digits-train-images-idx3-ubyte");
  write_labels("emnist-mnist-train-labels-idx1-ubyte", 1, 2);
  expect_throws<Error>([&] { load_dataset(folder_.path(), Split::kTrain); },
                       "belong to different datasets");
  write_images("emnist-mnist-train-images-idx3-ubyte");
  expect_throws<Error>(
      [&] { load_dataset(folder_.path(), Split::kTrain); },
      "contains several datasets, such as emnist-digits-train-images-idx3-ubyte and");
  write_images("train-images-idx3-ubyte");
  write_labels("train-labels-idx1-ubyte", 1, 2);
  EXPECT_EQ(load_dataset(folder_.path(), Split::kTrain).rows, 2) << "MNIST's own names win";
}

TEST_F(SmallSet, LimitKeepsTheFirst) {
  Dataset set = load();
  const std::uint32_t whole = set.fingerprint();
  limit_examples(set, 0);
  EXPECT_EQ(set.count, 3);
  EXPECT_EQ(set.fingerprint(), whole);
  limit_examples(set, 2);
  EXPECT_EQ(set.images.size(), 8U);
  EXPECT_EQ(set.labels, (std::vector<std::uint8_t>{7, 0}));
  EXPECT_NE(set.fingerprint(), whole);
  expect_throws<UsageError>([&] { limit_examples(set, 3); }, "--limit 3 is more than the 2");
}

TEST_F(SmallSet, LoadsAPartOfTheImages) {
  Dataset set = load_dataset(folder_.path(), Split::kTrain, {1, 2});
  EXPECT_EQ(set.count, 3);
  EXPECT_EQ(set.first_image, 1);
  EXPECT_EQ(set.images, (std::vector<std::uint8_t>{4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(set.labels, (std::vector<std::uint8_t>{7, 0, 9}));
  limit_examples(set, 2);
  EXPECT_EQ(set.images, (std::vector<std::uint8_t>{4, 5, 6, 7}));
  limit_examples(set, 1);
  EXPECT_EQ(set.images, std::vector<std::uint8_t>{});
}

TEST_F(SmallSet, FingerprintCoversImagesAndLabels) {
  const Dataset set = load();
  Dataset other = set;
  other.labels[2] = 8;
  EXPECT_NE(other.fingerprint(), set.fingerprint());
  other = set;
  other.images[11] = 0;
  EXPECT_NE(other.fingerprint(), set.fingerprint());
}

TEST_F(SmallSet, SelectsExamplesInOrder) {
  const std::vector<std::int64_t> indices{2, 0};
  const Dataset set = select_examples(load(), indices);
  EXPECT_EQ(set.labels, (std::vector<std::uint8_t>{9, 7}));
  EXPECT_EQ(set.images, (std::vector<std::uint8_t>{8, 9, 10, 11, 0, 1, 2, 3}));
}

TEST(SplitIndices, PartitionsAllExamplesBySeedAlone) {
  const ValidationSplit split = split_indices(100, 30, 1);
  EXPECT_EQ(split.validation.size(), 30U);
  EXPECT_EQ(split.training.size(), 70U);
  std::set<std::int64_t> all(split.training.begin(), split.training.end());
  all.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(all.size(), 100U);
  EXPECT_EQ(*all.rbegin(), 99);
  EXPECT_TRUE(std::is_sorted(split.training.begin(), split.training.end()));
  EXPECT_EQ(split_indices(100, 30, 1).validation, split.validation);
  EXPECT_NE(split_indices(100, 30, 2).validation, split.validation);
}

}  // namespace
}  // namespace mnist
