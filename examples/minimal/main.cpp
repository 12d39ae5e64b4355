// Trains a digit classifier on MNIST with plain LibTorch. Start here: the program reads from top to
// bottom, and the rest of this project is a faster and more general form of it.
//
// usage: minimal [DATA_DIRECTORY [EPOCHS]]   (defaults: data/mnist 5)
//
// DATA_DIRECTORY holds the four IDX files of MNIST, raw or gzip. Five epochs reach a test accuracy
// of about 97.5 %.
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

#include <torch/torch.h>

#include "mnist/data/dataset.hpp"

namespace {

namespace nn = torch::nn;

constexpr std::int64_t kBatchSize = 32;
constexpr double kLearningRate = 0.001;

/// One split of the dataset, in memory as two tensors.
struct Examples {
  torch::Tensor images;  // [count, 784], f32 in 0..1
  torch::Tensor labels;  // [count], i64 in 0..9
};

Examples load(const std::string& directory, mnist::Split split) {
  mnist::Dataset dataset = mnist::load_dataset(directory, split);
  // from_blob() only borrows the memory of `dataset`, but the conversions below make copies, so
  // the result outlives it. cross_entropy() requires labels of type i64.
  const auto images =
      torch::from_blob(dataset.images.data(), {dataset.count, dataset.pixels()}, torch::kUInt8);
  const auto labels = torch::from_blob(dataset.labels.data(), {dataset.count}, torch::kUInt8);
  return {images.to(torch::kFloat32) / 255, labels.to(torch::kInt64)};
}

/// Trains on every example once. Returns the mean loss.
double train_epoch(nn::Sequential& model, torch::optim::Optimizer& optimizer,
                   const Examples& examples) {
  // A new random order each epoch keeps the gradient noise of one epoch independent of the last.
  const auto order = torch::randperm(examples.labels.size(0));
  double loss_sum = 0;
  for (const auto& indices : order.split(kBatchSize)) {  // the last minibatch may be smaller
    const auto images = examples.images.index_select(0, indices);
    const auto labels = examples.labels.index_select(0, indices);

    // The model returns logits: cross_entropy() applies log_softmax itself, which is numerically
    // safer than a softmax layer and a logarithm.
    const auto loss = nn::functional::cross_entropy(model->forward(images), labels);
    optimizer.zero_grad();  // backward() accumulates into existing gradients
    loss.backward();
    optimizer.step();

    // The loss is a mean over the minibatch; weighting it by size makes the epoch's mean exact.
    loss_sum += loss.item<double>() * static_cast<double>(indices.size(0));
  }
  return loss_sum / static_cast<double>(examples.labels.size(0));
}

/// The fraction of examples that the model classifies correctly.
double accuracy(nn::Sequential& model, const Examples& examples) {
  const torch::NoGradGuard no_grad;  // no backward() follows, so record nothing for it
  const auto guesses = model->forward(examples.images).argmax(1);
  return guesses.eq(examples.labels).to(torch::kFloat64).mean().item<double>();
}

void run(const std::string& directory, int epochs) {
  torch::manual_seed(0);  // the same initial weights and the same order in every run
  const Examples training = load(directory, mnist::Split::kTrain);
  const Examples test = load(directory, mnist::Split::kTest);

  nn::Sequential model(nn::Linear(784, 256), nn::ReLU(),  //
                       nn::Linear(256, 128), nn::ReLU(),  //
                       nn::Linear(128, 10));
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(kLearningRate));

  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const double loss = train_epoch(model, optimizer, training);
    // For display only: a test set must not influence training. To stop early or to compare
    // settings, hold out some of the training examples and measure on those.
    std::cout << "epoch " << epoch << ": training loss " << loss << ", test accuracy "
              << 100 * accuracy(model, test) << " %" << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "data/mnist", argc > 2 ? std::stoi(argv[2]) : 5);
  } catch (const std::exception& error) {  // for example a missing file, which the message names
    std::cerr << "minimal: error: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
