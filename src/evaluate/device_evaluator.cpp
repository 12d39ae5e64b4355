// Evaluation with LibTorch, on any device.
#include <algorithm>
#include <vector>

#include <torch/torch.h>

#include "mnist/evaluate/evaluate.hpp"
#include "model/sequential.hpp"

namespace mnist {
namespace {

// Large enough for fast matrix products, small enough to stay in the processor's caches.
constexpr std::int64_t kBatch = 500;

}  // namespace

struct DeviceEvaluator::Tensors {
  torch::Device device;
  torch::Tensor images;  ///< u8 [n, pixels]
};

DeviceEvaluator::DeviceEvaluator(const Dataset& dataset, const std::string& device)
    : dataset_(dataset) {
  const torch::Device on(device);
  const torch::Tensor images = torch::from_blob(const_cast<std::uint8_t*>(dataset.images.data()),
                                                {dataset.count, dataset.pixels()}, torch::kUInt8);
  tensors_ = std::make_unique<Tensors>(Tensors{on, images.to(on)});
}

DeviceEvaluator::~DeviceEvaluator() = default;

Evaluation DeviceEvaluator::operator()(const Mlp& mlp) const {
  const torch::InferenceMode inference;
  torch::nn::Sequential network = make_sequential(mlp, tensors_->device);
  std::vector<torch::Tensor> batches;
  for (const torch::Tensor& images : tensors_->images.split(kBatch)) {
    batches.push_back(network->forward(images.mul(1 / kMaxPixel)));
  }
  const torch::Tensor logits = torch::cat(batches).cpu();
  return make_evaluation(
      dataset_.class_names, dataset_.labels,
      {logits.const_data_ptr<float>(), static_cast<std::size_t>(logits.numel())});
}

}  // namespace mnist
