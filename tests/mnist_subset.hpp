// Loads the MNIST subset of the source tree for tests.
#pragma once

#include "mnist/data/dataset.hpp"

namespace mnist {

/// Returns 2,000 training or 1,000 test examples.
inline Dataset mnist_subset(Split split) {
  return load_dataset(MNIST_SOURCE_DIR "/data/mnist-subset", split);
}

}  // namespace mnist
