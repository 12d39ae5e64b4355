// The conversion between Mlp and LibTorch's nn::Sequential.
#pragma once

#include <vector>

#include <torch/nn/modules/container/sequential.h>
#include <torch/types.h>

#include "mnist/model/mlp.hpp"

namespace mnist {

/// Linear, activation, ..., Linear, in f32 on `device`: maps [n, inputs] to logits [n, classes].
torch::nn::Sequential make_sequential(const Mlp& mlp, torch::Device device);

/// Copies the parameters of `mlp` into `tensors`, which have the shapes and the order of
/// nn::Sequential::parameters(), on any device.
void copy_to_tensors(const Mlp& mlp, const std::vector<torch::Tensor>& tensors);

/// The inverse: copies such tensors to plain memory. Waits for the device.
Mlp to_mlp(const MlpShape& shape, const std::vector<torch::Tensor>& tensors);

}  // namespace mnist
