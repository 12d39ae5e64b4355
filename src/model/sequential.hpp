// The network as LibTorch has it: an nn::Sequential of linear layers and activations.
#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/types.h>

#include "mnist/model/mlp_shape.hpp"

namespace mnist {

/// Linear, activation, ..., Linear, with the parameters of `state`, on `device`, in f32. Takes
/// [n, inputs] and gives logits [n, classes]. `state` is normalised and has the shape `shape`.
torch::nn::Sequential make_mlp(const MlpShape& shape, const StateDict& state, torch::Device device);

/// The parameters of a network that make_mlp made, copied to plain memory.
StateDict parameters_of(const torch::nn::Sequential& network);

/// A CPU tensor with a copy of the values.
torch::Tensor to_torch(const NamedTensor& tensor);

}  // namespace mnist
