// Evaluation without LibTorch, and the check that a network fits a dataset.
#include "mnist/evaluate/evaluate.hpp"

#include "mnist/support/error.hpp"
#include "model/forward.hpp"

namespace mnist {

Evaluation evaluate(const Mlp& mlp, const Dataset& dataset) {
  const auto pixels = static_cast<std::size_t>(dataset.pixels());
  std::vector<float> logits;
  for (std::size_t begin = 0; begin < dataset.images.size(); begin += pixels) {
    const auto image = std::span(dataset.images).subspan(begin, pixels);
    const std::vector<float> row = forward(mlp, image);
    logits.insert(logits.end(), row.begin(), row.end());
  }
  return make_evaluation(dataset.class_names, dataset.labels, logits);
}

void check_fits(const MlpShape& shape, const Dataset& dataset, const std::string& model,
                const std::string& data) {
  if (shape.inputs == dataset.pixels() && shape.classes == dataset.classes()) return;
  throw Error(model + ": the network is " + to_string(shape) + ", but the data in " + data +
              " needs " + std::to_string(dataset.pixels()) + " inputs (" +
              std::to_string(dataset.rows) + "x" + std::to_string(dataset.columns) +
              " pixels) and " + std::to_string(dataset.classes()) +
              " classes; pass the data it was trained on with --data");
}

}  // namespace mnist
