// Datasets from directories.
#include "mnist/data/dataset.hpp"

#include <algorithm>
#include <set>

#include "mnist/data/idx.hpp"
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
  TemporaryFolder folder_;
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
  expect_refused("example 1 has label 10, expected one below the 10 classes");
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
      "contains none of train-images-idx3-ubyte, train-images-idx3-ubyte.gz, "
      "train-images.idx3-ubyte, "
      "train-images.idx3-ubyte.gz; fetch the data with scripts/fetch_data.sh");
  expect_throws<Error>([&] { load_dataset(folder_ / "none", Split::kTrain); },
                       "no such directory; fetch the data");
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

TEST_F(SmallSet, SelectsRowsInOrder) {
  const std::vector<std::int64_t> rows{2, 0};
  const Dataset set = select_rows(load(), rows);
  EXPECT_EQ(set.labels, (std::vector<std::uint8_t>{9, 7}));
  EXPECT_EQ(set.images, (std::vector<std::uint8_t>{8, 9, 10, 11, 0, 1, 2, 3}));
}

TEST(SplitRows, PartitionsAllExamplesBySeedAlone) {
  const ValidationSplit split = split_rows(100, 30, 1);
  EXPECT_EQ(split.validation.size(), 30U);
  std::set<std::int64_t> all(split.training.begin(), split.training.end());
  all.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(all.size(), 100U);
  EXPECT_EQ(*all.rbegin(), 99);
  EXPECT_TRUE(std::is_sorted(split.training.begin(), split.training.end()));
  EXPECT_EQ(split_rows(100, 30, 1).validation, split.validation);
  EXPECT_NE(split_rows(100, 30, 2).validation, split.validation);
}

}  // namespace
}  // namespace mnist
