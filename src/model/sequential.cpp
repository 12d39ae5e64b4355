// The network as LibTorch has it: an nn::Sequential of linear layers and activations.
#include "model/sequential.hpp"

#include <torch/torch.h>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

void push_activation(torch::nn::Sequential& network, Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      network->push_back(torch::nn::ReLU());
      return;
    case Activation::kTanh:
      network->push_back(torch::nn::Tanh());
      return;
    case Activation::kSigmoid:
      network->push_back(torch::nn::Sigmoid());
      return;
    case Activation::kIdentity:
      network->push_back(torch::nn::Identity());  // keeps the numbers of the layers behind it
      return;
  }
  throw Error("unknown activation");
}

}  // namespace

torch::nn::Sequential make_mlp(const MlpShape& shape, const StateDict& state,
                               torch::Device device) {
  const std::vector<std::int64_t> widths = shape.widths();
  torch::nn::Sequential network;
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
    if (layer > 0) push_activation(network, shape.activation);
    network->push_back(torch::nn::Linear(widths[layer], widths[layer + 1]));
  }
  const torch::NoGradGuard no_grad;
  auto parameters = network->named_parameters();
  for (const NamedTensor& tensor : state) {
    torch::Tensor* parameter = parameters.find(tensor.name);
    if (parameter == nullptr || parameter->sizes() != torch::IntArrayRef(tensor.shape)) {
      throw Error("parameter " + tensor.name + " " + shape_text(tensor.shape) +
                  " does not belong to the network " + to_string(shape));
    }
    parameter->copy_(to_torch(tensor));
  }
  network->to(device);
  return network;
}

StateDict parameters_of(const torch::nn::Sequential& network) {
  StateDict state;
  for (const auto& parameter : network->named_parameters()) {
    const torch::Tensor values = parameter.value().detach().to(torch::kCPU).contiguous();
    const auto* data = values.const_data_ptr<float>();
    state.push_back({parameter.key(), values.sizes().vec(), {data, data + values.numel()}});
  }
  return state;
}

torch::Tensor to_torch(const NamedTensor& tensor) {
  return torch::tensor(at::ArrayRef<float>(tensor.values)).reshape(tensor.shape);
}

}  // namespace mnist
