// The files of MNIST-like datasets: their names, and how their contents differ from MNIST's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mnist/data/split.hpp"

namespace mnist {

struct SplitFiles {
  std::string images;
  std::string labels;
  std::string dataset;  ///< what precedes "train-" or "test-", as in "emnist-letters"; MNIST: ""
};

/// Finds the files of a split, such as "train-images-idx3-ubyte" or "t10k-labels.idx1-ubyte.gz".
/// EMNIST and QMNIST prefix the dataset's name and say "test" instead of "t10k"; QMNIST's labels
/// end in "idx2-int". Throws Error that lists the names tried when there are no such files, and
/// when `directory` holds several datasets.
SplitFiles find_split_files(const std::string& directory, Split split);

struct DatasetTraits {
  bool transposed = false;                  ///< images are stored column by column
  std::uint8_t first_label = 0;             ///< label of the first class
  std::string_view classes = "0123456789";  ///< one character per class
};

/// EMNIST (Cohen et al. 2017) differs from MNIST, other datasets do not. `dataset` is
/// SplitFiles::dataset.
DatasetTraits traits_of(const std::string& dataset);

}  // namespace mnist
