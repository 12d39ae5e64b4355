// Copies parameters to and from LibTorch as one flat array.
#include "model/sequential.hpp"

#include <torch/torch.h>

namespace mnist {
namespace {

torch::nn::AnyModule activation_module(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return torch::nn::AnyModule(torch::nn::ReLU());
    case Activation::kTanh:
      return torch::nn::AnyModule(torch::nn::Tanh());
    case Activation::kSigmoid:
      return torch::nn::AnyModule(torch::nn::Sigmoid());
    case Activation::kIdentity:
      break;
  }
  return torch::nn::AnyModule(torch::nn::Identity());  // linear layers keep their even numbers
}

}  // namespace

torch::nn::Sequential make_sequential(const Mlp& mlp, torch::Device device) {
  torch::nn::Sequential network;
  for (const Linear& layer : mlp.layers) {
    if (!network->is_empty()) network->push_back(activation_module(mlp.activation));
    network->push_back(torch::nn::Linear(layer.inputs, layer.outputs));
  }
  network->to(device);
  copy_to_tensors(mlp, network->parameters());
  return network;
}

void copy_to_tensors(const Mlp& mlp, const std::vector<torch::Tensor>& tensors) {
  const torch::NoGradGuard no_grad;
  const std::vector<float> values = flatten(mlp);
  const torch::Tensor all = torch::tensor(at::ArrayRef<float>(values));
  std::int64_t offset = 0;
  for (const torch::Tensor& tensor : tensors) {
    tensor.copy_(all.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
}

Mlp to_mlp(const MlpShape& shape, const std::vector<torch::Tensor>& tensors) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor all = torch::nn::utils::parameters_to_vector(tensors).cpu();
  return unflatten(shape, {all.const_data_ptr<float>(), static_cast<std::size_t>(all.numel())});
}

}  // namespace mnist
