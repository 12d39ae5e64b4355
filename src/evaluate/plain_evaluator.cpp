// Runs a network over a data set without LibTorch.
#include "evaluate/plain_evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/forward.hpp"

namespace mnist {

Evaluation evaluate_plainly(const MlpShape& shape, const StateDict& parameters,
                            const Dataset& dataset) {
  const auto pixels = static_cast<std::size_t>(dataset.pixels());
  std::vector<Prediction> predictions;
  double loss = 0;
  for (std::size_t row = 0; row < dataset.labels.size(); ++row) {
    const std::span<const std::uint8_t> image{&dataset.images[row * pixels], pixels};
    const std::vector<float> probabilities =
        softmax(forward(shape, parameters, scaled_pixels(image)));
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    const std::size_t truth = dataset.labels[row];
    predictions.push_back({truth, static_cast<std::size_t>(best - probabilities.begin()), *best});
    loss -= std::log(std::max(static_cast<double>(probabilities[truth]), 1e-300));
  }
  return make_evaluation(dataset.class_names, std::move(predictions),
                         loss / static_cast<double>(dataset.count));
}

}  // namespace mnist
