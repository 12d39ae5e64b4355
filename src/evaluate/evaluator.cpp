// Runs a network over a data set and counts.
#include "mnist/evaluate/evaluator.hpp"

#include <algorithm>
#include <utility>

#include <torch/torch.h>

#include "model/sequential.hpp"

namespace mnist {
namespace {

// Large enough for fast matrix products, small enough to stay in the processor's caches.
constexpr std::int64_t kBatch = 500;
constexpr double kLargestPixel = 255;

}  // namespace

Evaluation evaluate(const MlpShape& shape, const StateDict& parameters, const Dataset& dataset,
                    const std::string& device_name) {
  const torch::InferenceMode inference;
  const torch::Device device(device_name);
  torch::nn::Sequential network = make_mlp(shape, parameters, device);
  const torch::Tensor images = torch::from_blob(const_cast<std::uint8_t*>(dataset.images.data()),
                                                {dataset.count, dataset.pixels()}, torch::kUInt8);
  const torch::Tensor labels = torch::from_blob(const_cast<std::uint8_t*>(dataset.labels.data()),
                                                {dataset.count}, torch::kUInt8);
  torch::Tensor loss = torch::zeros({}, torch::device(device).dtype(torch::kFloat64));
  std::vector<torch::Tensor> guesses;
  std::vector<torch::Tensor> confidences;
  for (std::int64_t begin = 0; begin < dataset.count; begin += kBatch) {
    const std::int64_t end = std::min(begin + kBatch, dataset.count);
    const torch::Tensor inputs = images.slice(0, begin, end).to(device).mul(1 / kLargestPixel);
    const torch::Tensor truth = labels.slice(0, begin, end).to(device, torch::kInt64);
    const torch::Tensor logits = network->forward(inputs);
    loss +=
        torch::nn::functional::cross_entropy(
            logits, truth, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum))
            .to(torch::kFloat64);
    const auto [largest, guess] = logits.max(1);
    guesses.push_back(guess);
    confidences.push_back((largest - logits.logsumexp(1)).exp());
  }
  const torch::Tensor guess = torch::cat(guesses).cpu();
  const torch::Tensor confidence = torch::cat(confidences).cpu();
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < dataset.labels.size(); ++i) {
    predictions.push_back({dataset.labels[i],
                           static_cast<std::size_t>(guess.const_data_ptr<std::int64_t>()[i]),
                           confidence.const_data_ptr<float>()[i]});
  }
  return make_evaluation(dataset.class_names, std::move(predictions),
                         loss.item<double>() / static_cast<double>(dataset.count));
}

}  // namespace mnist
