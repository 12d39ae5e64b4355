// Evaluation with LibTorch, on any device.
#include <vector>

#include <torch/torch.h>

#include "mnist/evaluate/evaluate.hpp"
#include "model/sequential.hpp"

namespace mnist {

std::function<Evaluation(const Mlp&)> device_evaluator(const Dataset& dataset,
                                                       const std::string& device) {
  const torch::Device on(device);
  const torch::Tensor images =  // u8 [n, pixels]
      as_tensor<std::uint8_t>(dataset.images).view({dataset.count, dataset.pixels()}).to(on);
  return [&dataset, on, images](const Mlp& mlp) {
    // Large enough for fast matrix products, small enough to stay in the processor's caches.
    constexpr std::int64_t kBatch = 500;
    const torch::InferenceMode inference;
    torch::nn::Sequential network = make_sequential(mlp, on);
    std::vector<torch::Tensor> batches;
    for (const torch::Tensor& batch : images.split(kBatch)) {
      batches.push_back(network->forward(batch.mul(1 / kMaxPixel)));
    }
    const torch::Tensor logits = torch::cat(batches).cpu();
    return make_evaluation(
        dataset.class_names, dataset.labels,
        {logits.const_data_ptr<float>(), static_cast<std::size_t>(logits.numel())});
  };
}

}  // namespace mnist
