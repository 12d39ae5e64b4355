// Runs a network over a data set and counts.
#include "mnist/evaluate/evaluator.hpp"

#include <algorithm>

#include <torch/torch.h>

#include "mnist/model/mlp.hpp"
#include "mnist/support/error.hpp"

namespace mnist {
namespace {

// Large enough for fast matrix products, small enough to stay in the processor's caches.
constexpr std::int64_t kBatch = 500;
constexpr double kLargestPixel = 255;

}  // namespace

void check_fits(const MlpShape& shape, const Dataset& dataset, const std::string& model,
                const std::string& data) {
  if (shape.inputs == dataset.pixels() && shape.classes == dataset.classes()) return;
  throw Error(model + ": the network is " + to_string(shape) + ", but the data in " + data +
              " need " + std::to_string(dataset.pixels()) + " inputs (" +
              std::to_string(dataset.rows) + "x" + std::to_string(dataset.columns) +
              " pixels) and " + std::to_string(dataset.classes()) +
              " classes; name the data that it was trained on with --data");
}

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
  torch::Tensor confusion =
      torch::zeros({shape.classes * shape.classes}, torch::device(device).dtype(torch::kInt64));
  for (std::int64_t begin = 0; begin < dataset.count; begin += kBatch) {
    const std::int64_t end = std::min(begin + kBatch, dataset.count);
    const torch::Tensor inputs = images.slice(0, begin, end).to(device).mul(1 / kLargestPixel);
    const torch::Tensor truth = labels.slice(0, begin, end).to(device, torch::kInt64);
    const torch::Tensor logits = network->forward(inputs);
    loss +=
        torch::nn::functional::cross_entropy(
            logits, truth, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum))
            .to(torch::kFloat64);
    const torch::Tensor cells = truth * shape.classes + logits.argmax(1);
    confusion += torch::bincount(cells, {}, shape.classes * shape.classes);
  }
  confusion = confusion.to(torch::kCPU);
  const auto* counts = confusion.const_data_ptr<std::int64_t>();
  return {dataset.class_names,
          {counts, counts + confusion.numel()},
          loss.item<double>() / static_cast<double>(dataset.count)};
}

}  // namespace mnist
