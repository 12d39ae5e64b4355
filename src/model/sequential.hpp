// The conversion between Mlp and LibTorch's nn::Sequential.
#pragma once

#include <iterator>
#include <span>
#include <vector>

#include <torch/nn/modules/container/sequential.h>
#include <torch/types.h>

#include "mnist/model/mlp.hpp"

namespace mnist {

/// `values` as a tensor [n] on the CPU, which shares their memory.
template <class Value>
torch::Tensor as_tensor(std::span<const Value> values) {
  return torch::from_blob(const_cast<Value*>(values.data()), {std::ssize(values)},
                          torch::CppTypeToScalarType<Value>::value);
}

/// Linear, activation, ..., Linear, in f32 on `device`: maps [n, inputs] to logits [n, classes].
torch::nn::Sequential make_sequential(const Mlp& mlp, torch::Device device);

/// Copies the parameters of `mlp` into `tensors`, which have the shapes and the order of
/// nn::Sequential::parameters(), on any device.
void copy_to_tensors(const Mlp& mlp, const std::vector<torch::Tensor>& tensors);

/// The inverse: copies such tensors to plain memory. Waits for the device.
Mlp to_mlp(const MlpShape& shape, const std::vector<torch::Tensor>& tensors);

}  // namespace mnist
