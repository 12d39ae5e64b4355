// How the sets of the MNIST family name their files, and in what they differ from MNIST.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mnist/data/split.hpp"

namespace mnist {

/// The two files of one split.
struct SetFiles {
  std::string images;
  std::string labels;
  std::string set;  ///< what stands before "train-" or "test-": "emnist-letters"; MNIST has nothing
};

/// Finds the files of a split: `train-` or `t10k-`, then `images-idx3-ubyte` or
/// `labels-idx1-ubyte`, with '.' for the last '-' but one as well, with or without ".gz". EMNIST's
/// and QMNIST's files have their set's name in front, "test" for "t10k", and QMNIST's labels end in
/// `idx2-int`. Throws Error with the names tried when there are none, and when a folder holds
/// several sets.
SetFiles find_set_files(const std::string& folder, Split split);

/// In what a set differs from MNIST.
struct SetTraits {
  bool transposed = false;                  ///< images lie column by column
  std::uint8_t first_label = 0;             ///< of the first class
  std::string_view classes = "0123456789";  ///< one character each
};

/// EMNIST (Cohen et al. 2017) lies column by column, and its letters are numbered from 1; other
/// sets are as MNIST.
SetTraits traits_of(const std::string& set);

}  // namespace mnist
