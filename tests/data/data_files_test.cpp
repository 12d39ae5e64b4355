// MNIST-like datasets: file names, and differences from MNIST.
#include "data/data_files.hpp"

#include <array>
#include <bit>

#include "mnist/data/dataset.hpp"
#include "mnist/data/idx.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

class Family : public ::testing::Test {
 protected:
  void write_images(const std::string& name) {
    write_idx(folder_ / name, {IdxType::kU8, {2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}});
  }
  void write_labels(const std::string& name, std::uint8_t first, std::uint8_t second) {
    write_idx(folder_ / name, {IdxType::kU8, {2}, {first, second}});
  }
  TemporaryFolder folder_;
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
                       "found label 0, expected at least 1");
}

TEST_F(Family, EmnistHasSeveralDatasets) {
  const std::vector<std::pair<std::string, std::int64_t>> sets{
      {"balanced", 47}, {"byclass", 62}, {"bymerge", 47}, {"digits", 10}, {"mnist", 10}};
  for (const auto& [name, classes] : sets) {
    EXPECT_EQ(std::ssize(traits_of("emnist-" + name).classes), classes) << name;
    EXPECT_TRUE(traits_of("emnist-" + name).transposed);
    EXPECT_EQ(traits_of("emnist-" + name).first_label, 0);
  }
  EXPECT_EQ(traits_of("emnist-balanced").classes[46], 't');
  EXPECT_FALSE(traits_of("qmnist").transposed);
}

TEST_F(Family, QmnistLabelsAreTheFirstOfEightNumbers) {
  write_images("qmnist-test-images-idx3-ubyte");
  std::vector<std::uint8_t> labels;
  for (const std::int32_t number : {4, 0, 1, 2, 3, 4, 5, 6, 9, 1, 1, 1, 1, 1, 1, 1}) {
    const auto bytes = std::bit_cast<std::array<std::uint8_t, 4>>(number);
    labels.insert(labels.end(), bytes.begin(), bytes.end());
  }
  write_idx(folder_ / "qmnist-test-labels-idx2-int", {IdxType::kI32, {2, 8}, labels});
  const Dataset set = load_dataset(folder_.path(), Split::kTest);
  EXPECT_EQ(set.labels, (std::vector<std::uint8_t>{4, 9}));
  EXPECT_EQ(set.classes(), 10);
  EXPECT_EQ(set.images[1], 1) << "not transposed";
  labels[1] = 1;  // 4 + 256
  write_idx(folder_ / "qmnist-test-labels-idx2-int", {IdxType::kI32, {2, 8}, labels});
  expect_throws<Error>([&] { load_dataset(folder_.path(), Split::kTest); },
                       "example 0 has label 260, expected 0 to 255");
}

TEST_F(Family, DatasetsDoNotMix) {
  write_images("emnist-digits-train-images-idx3-ubyte");
  write_labels("emnist-mnist-train-labels-idx1-ubyte", 1, 2);
  expect_throws<Error>([&] { find_split_files(folder_.path(), Split::kTrain); },
                       "belong to different datasets");
  write_images("emnist-mnist-train-images-idx3-ubyte");
  expect_throws<Error>(
      [&] { find_split_files(folder_.path(), Split::kTrain); },
      "contains several datasets, such as emnist-digits-train-images-idx3-ubyte and");
  write_images("train-images-idx3-ubyte");
  write_labels("train-labels-idx1-ubyte", 1, 2);
  EXPECT_EQ(find_split_files(folder_.path(), Split::kTrain).dataset, "") << "MNIST's own names win";
}

}  // namespace
}  // namespace mnist
