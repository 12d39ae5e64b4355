// Whether a network fits a data set, and how it does there, without LibTorch.
#include "mnist/evaluate/plain_evaluator.hpp"

#include <algorithm>
#include <cmath>

#include "mnist/model/forward.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

void check_fits(const MlpShape& shape, const Dataset& dataset, const std::string& model,
                const std::string& data) {
  if (shape.inputs == dataset.pixels() && shape.classes == dataset.classes()) return;
  throw Error(model + ": the network is " + to_string(shape) + ", but the data in " + data +
              " need " + std::to_string(dataset.pixels()) + " inputs (" +
              std::to_string(dataset.rows) + "x" + std::to_string(dataset.columns) +
              " pixels) and " + std::to_string(dataset.classes()) +
              " classes; name the data that it was trained on with --data");
}

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
