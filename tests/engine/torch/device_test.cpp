// Names of devices; what needs a GPU is tested in engine/cuda/device_test.cpp.
#include "engine/torch/device.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(TorchDevice, NamesEndInTheIndexOfTheGpu) {
  EXPECT_EQ(cuda_index("cuda"), 0);
  EXPECT_EQ(cuda_index("cuda:1"), 1);
  EXPECT_EQ(cuda_index("cuda:12"), 12);
}

TEST(TorchDevice, EvaluatesOnTheCpuWithoutThatGpu) {
  EXPECT_EQ(evaluation_device("cpu"), "cpu");
  EXPECT_EQ(evaluation_device("cuda:99"), "cpu");
}

}  // namespace
}  // namespace mnist
