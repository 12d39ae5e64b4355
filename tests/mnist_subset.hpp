// The real images in the tree.
#pragma once

#include "mnist/data/dataset.hpp"

namespace mnist {

/// The subset of MNIST: 2,000 training images, 1,000 test images.
inline Dataset mnist_subset(Split split) {
  return load_dataset(MNIST_SOURCE_DIR "/data/mnist-subset", split);
}

}  // namespace mnist
