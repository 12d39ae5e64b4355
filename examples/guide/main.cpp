// All LibTorch code of docs/guide.md; guide.py is the same in PyTorch.
//
// usage: guide [DATA_DIRECTORY [EPOCHS [MODEL]]]   (defaults: data/mnist 15)
//
// DATA_DIRECTORY holds the four IDX files of MNIST, raw or gzip. MODEL is a .pt file of mnist-train, which is evaluated
// at the end. A test compares this file with the guide.
#include <cmath>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "mnist/data/dataset.hpp"

namespace {

namespace nn = torch::nn;
namespace F = torch::nn::functional;
using torch::Tensor;
using torch::optim::Adam;

constexpr int kBatchSize = 32;
constexpr double kLearningRate = 0.001;

// What does the network see?
struct Examples {
  Tensor images;  // [count, 784], f32 in 0..1
  Tensor labels;  // [count], i64 in 0..9
};

Examples read(const std::string& data, mnist::Split split) {
  auto set = mnist::load_dataset(data, split);
  auto images = torch::from_blob(
      set.images.data(), {set.count, 784}, torch::kUInt8);
  auto labels = torch::from_blob(
      set.labels.data(), {set.count}, torch::kUInt8);
  return {images / 255, labels.to(torch::kInt64)};
}

// What is a network?
nn::Sequential make_network() {
  return nn::Sequential(
      nn::Linear(784, 256), nn::ReLU(),
      nn::Linear(256, 128), nn::ReLU(),
      nn::Linear(128, 10));
}

std::int64_t parameters(nn::Sequential& model) {
  std::int64_t count = 0;
  for (const auto& p : model->parameters()) count += p.numel();
  return count;
}

// How wrong is an answer?
void compare_losses(nn::Sequential& model, const Tensor& x, const Tensor& y) {
  auto p = model->forward(x).softmax(1);
  auto loss = -p.gather(1, y.unsqueeze(1)).log().mean();
  auto same = F::cross_entropy(model->forward(x), y);
  std::cout << "loss by hand " << loss.item<float>() << ", by cross_entropy " << same.item<float>() << '\n';
}

// How does a network learn?
void take_one_step(nn::Sequential& model, Adam& optimizer, const Tensor& x, const Tensor& y) {
  auto loss = F::cross_entropy(model->forward(x), y);
  optimizer.zero_grad();  // forget the previous gradient
  loss.backward();        // backpropagation
  optimizer.step();       // move every weight a little
  auto after = F::cross_entropy(model->forward(x), y);
  std::cout << "before the step " << loss.item<float>() << ", after it " << after.item<float>() << '\n';
}

// What does the whole training look like?
void train(nn::Sequential& model, Adam& optimizer, const Examples& examples, int epochs) {
  const auto& [images, labels] = examples;
  model->train();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    auto order = torch::randperm(images.size(0));
    for (const auto& batch : order.split(kBatchSize)) {
      auto logits = model->forward(images.index({batch}));
      auto loss =
          F::cross_entropy(logits, labels.index({batch}));
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
    }
  }
}

// How good is it? Which digits does it confuse?
void evaluate(nn::Sequential& model, const Examples& test) {
  model->eval();
  torch::NoGradGuard no_grad;
  auto answers = model->forward(test.images).argmax(1);
  auto right = answers.eq(test.labels).to(torch::kDouble);
  auto accuracy = 100 * right.mean().item<double>();
  std::cout << "test accuracy " << accuracy << " %\n";
  auto pairs = 10 * test.labels + answers;
  auto confusion =
      pairs.bincount({}, 100).reshape({10, 10});
  confusion.fill_diagonal_(0);
  auto worst = confusion.argmax().item<std::int64_t>();
  std::cout << "most often, " << worst / 10 << " was taken for " << worst % 10 << '\n';
}

// Why does the loss jump from step to step?
void print_range(nn::Sequential& model, const Tensor& x, const Tensor& y) {
  torch::NoGradGuard no_grad;
  auto options = F::CrossEntropyFuncOptions();
  auto each = F::cross_entropy(
      model->forward(x), y, options.reduction(torch::kNone));
  std::cout << "losses from " << each.min().item<float>() << " to " << each.max().item<float>() << '\n';
}

// How large a minibatch?
void print_steps(const Examples& examples) {
  auto indices = torch::arange(examples.labels.size(0));
  for (int size : {1, 32, 4096})
    std::cout << size << " images per step: "
              << indices.split(size).size() << " steps\n";
}

// Can several minibatches be processed at once?
Tensor gradient(nn::Sequential& model, const Examples& examples, int first, int last) {
  auto x = examples.images.slice(0, first, last);
  auto y = examples.labels.slice(0, first, last);
  model->zero_grad();
  F::cross_entropy(model->forward(x), y).backward();
  return model->parameters()[0].grad().clone();
}

void compare_gradients(nn::Sequential& model, const Examples& examples) {
  auto both = gradient(model, examples, 0, 64);
  auto mean = (gradient(model, examples, 0, 32) +
               gradient(model, examples, 32, 64)) / 2;
  std::cout << "largest difference " << (both - mean).abs().max().item<float>() << '\n';
}

// Does the order matter?
void print_order(const Tensor& labels) {
  auto count = labels.size(0);
  auto shuffled = torch::randperm(count);
  auto as_in_files = torch::arange(count);
  auto sorted_by_digit = labels.argsort();
  std::cout << "first of the sorted: " << labels[sorted_by_digit[0]].item<int>() << '\n';
}

// How large should the steps be?
void set_learning_rate(Adam& optimizer, int epoch, int epochs) {
  double angle = std::numbers::pi * epoch / epochs;
  for (auto& group : optimizer.param_groups())
    group.options().set_lr(kLearningRate *
                           (1 + std::cos(angle)) / 2);
}

// Can training get stuck?
nn::Sequential halfway(nn::Sequential& first, nn::Sequential& second) {
  auto middle = make_network();
  torch::NoGradGuard no_grad;
  auto a = first->parameters(), b = second->parameters();
  auto m = middle->parameters();
  for (std::size_t i = 0; i < m.size(); ++i)
    m[i].copy_((a[i] + b[i]) / 2);
  return middle;
}

void print_loss(nn::Sequential model, const Examples& examples) {
  auto loss = F::cross_entropy(model->forward(examples.images), examples.labels);
  std::cout << "loss " << loss.item<float>() << '\n';
}

// Why is there something between the layers?
void merge_two_layers(const Tensor& x) {
  nn::Linear a(784, 256), b(256, 10);
  auto weight = b->weight.mm(a->weight);
  auto bias = b->weight.mv(a->bias) + b->bias;
  auto difference =
      b(a(x)) - F::linear(x, weight, bias);
  std::cout << "two layers and one differ by " << difference.abs().max().item<float>() << '\n';
}

// Which activation?
void print_slopes() {
  auto z = torch::tensor({-4.0, 0.0, 4.0});
  z.requires_grad_();
  z.sigmoid().sum().backward();
  std::cout << "slopes of the sigmoid:\n" << z.grad() << '\n';
}

// Why does the gradient vanish?
void print_norms(nn::Sequential& model) {
  for (const auto& p : model->named_parameters())
    std::cout << p.key() << ' '
              << p->grad().norm().item<float>() << '\n';
}

// How many units are inactive?
void count_inactive(nn::Sequential& model, const Examples& test) {
  auto& first = model->at<nn::LinearImpl>(0);
  auto hidden = first.forward(test.images).relu();
  auto inactive = hidden.eq(0).to(torch::kFloat32).mean();
  std::cout << "inactive: " << 100 * inactive.item<float>() << " %\n";
}

// Which shape should the network have?
void print_shapes() {
  for (auto [a, b] : {std::pair(256, 128), std::pair(128, 256),
                      std::pair(229, 229)}) {
    int count = 785 * a + (a + 1) * b + (b + 1) * 10;
    std::cout << a << ' ' << b << ' ' << count << '\n';
  }
}

// What has the first layer learned?
void print_importance(nn::Sequential& model) {
  auto& first = model->at<nn::LinearImpl>(0);
  auto weights = first.weight.reshape({256, 28, 28});
  auto importance = weights.abs().mean(0);
  std::cout << "center " << importance[14][14].item<float>() << ", corner " << importance[0][0].item<float>() << '\n';
}

// How do I notice that it learns by heart?
nn::Sequential make_regularized() {
  nn::Sequential regularized(
      nn::Linear(784, 256), nn::ReLU(), nn::Dropout(0.5),
      nn::Linear(256, 128), nn::ReLU(), nn::Dropout(0.5),
      nn::Linear(128, 10));
  regularized->train();  // dropout is on
  regularized->eval();   // dropout is off
  return regularized;
}

// Can one image become many?
void shift(const Tensor& images) {
  auto image = images[0].reshape({28, 28});
  auto shifted = image.roll({1, -2}, {0, 1});
  std::cout << "moved by one row and two columns: " << shifted.sizes() << '\n';
}

// Does it work with clothes?
nn::Sequential make_clothes() {
  nn::Sequential clothes(
      nn::Linear(784, 512), nn::ReLU(),
      nn::Linear(512, 256), nn::ReLU(),
      nn::Linear(256, 10));
  return clothes;
}

// What if it does not learn?
void check_first_loss(const Tensor& x, const Tensor& y) {
  auto fresh = make_network();
  for (const auto& pixels : {x, 255 * x}) {
    auto first = F::cross_entropy(fresh->forward(pixels), y);
    std::cout << "first loss " << first.item<float>()
              << ", expected " << std::log(10.0) << '\n';
  }
}

// How do I use the network elsewhere?
nn::Sequential load(const std::string& path) {
  auto trained = make_network();
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes(
      std::istreambuf_iterator<char>(file), {});
  auto state = torch::pickle_load(bytes).toGenericDict();
  torch::NoGradGuard no_grad;
  for (const auto& p : trained->named_parameters())
    p->copy_(state.at(p.key()).toTensor());
  return trained;
}

void run(const std::string& data, int epochs, const std::string& model_file) {
  if (!model_file.empty() && !std::filesystem::exists(model_file))
    throw std::runtime_error("no such file: " + model_file);
  torch::manual_seed(0);
  const auto training = read(data, mnist::Split::kTrain);
  const auto test = read(data, mnist::Split::kTest);
  std::cout << "images: " << training.images.sizes() << '\n';

  auto model = make_network();
  std::cout << "parameters: " << parameters(model) << '\n';
  auto x = training.images.slice(0, 0, 32);
  auto y = training.labels.slice(0, 0, 32);
  compare_losses(model, x, y);
  Adam optimizer(model->parameters(), kLearningRate);
  take_one_step(model, optimizer, x, y);
  train(model, optimizer, training, epochs);
  evaluate(model, test);
  print_range(model, x, y);
  print_steps(training);
  compare_gradients(model, training);
  print_order(training.labels);
  set_learning_rate(optimizer, epochs / 2, epochs);

  auto other = make_network();
  Adam second(other->parameters(), kLearningRate);
  train(other, second, training, epochs);
  print_loss(model, test);
  print_loss(other, test);
  print_loss(halfway(model, other), test);

  merge_two_layers(x);
  print_slopes();
  print_norms(model);
  count_inactive(model, test);
  print_shapes();
  print_importance(model);
  make_regularized();
  shift(training.images);
  auto clothes = make_clothes();
  std::cout << "parameters: " << parameters(clothes) << '\n';
  check_first_loss(x, y);

  if (!model_file.empty()) {
    auto trained = load(model_file);
    std::cout << model_file << ": ";
    evaluate(trained, test);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "data/mnist", argc > 2 ? std::stoi(argv[2]) : 15, argc > 3 ? argv[3] : "");
  } catch (const std::exception& error) {
    std::cerr << "guide: error: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
