// LibTorch as PyTorch's C++ MNIST example uses it: a dataset, a data loader with Stack, and one
// eager step of torch::optim per minibatch. (The example samples sequentially; this one shuffles.)
//
// usage: cpp_example --data DIR --epochs N --batch N --threads N --hidden N,N
#include <chrono>
#include <iostream>
#include <map>

#include <torch/torch.h>

#include "mnist/data/dataset.hpp"
#include "options/option_text.hpp"

namespace {

/// Returns one example at a time, like torch::data::datasets::MNIST.
class Images : public torch::data::Dataset<Images> {
 public:
  explicit Images(const mnist::Dataset& set)
      : images_(torch::from_blob(const_cast<std::uint8_t*>(set.images.data()),
                                 {set.count, set.pixels()}, torch::kUInt8)
                    .to(torch::kFloat32)
                    .div_(255)),
        labels_(torch::from_blob(const_cast<std::uint8_t*>(set.labels.data()), {set.count},
                                 torch::kUInt8)
                    .to(torch::kInt64)) {}

  torch::data::Example<> get(std::size_t index) override {
    const auto i = static_cast<std::int64_t>(index);
    return {images_[i], labels_[i]};
  }
  c10::optional<std::size_t> size() const override {
    return static_cast<std::size_t>(images_.size(0));
  }

  const torch::Tensor& images() const { return images_; }
  const torch::Tensor& labels() const { return labels_; }

 private:
  torch::Tensor images_;
  torch::Tensor labels_;
};

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  torch::set_num_threads(std::stoi(flags.at("--threads")));
  std::vector<std::int64_t> widths;
  mnist::parse_option(flags.at("--hidden"), widths);
  widths.insert(widths.begin(), 784);

  torch::nn::Sequential model;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    model->push_back(torch::nn::Linear(widths[i], widths[i + 1]));
    model->push_back(torch::nn::ReLU());
  }
  model->push_back(torch::nn::Linear(widths.back(), 10));

  const mnist::Dataset set = mnist::load_dataset(flags.at("--data"), mnist::Split::kTrain);
  auto loader = torch::data::make_data_loader<torch::data::samplers::RandomSampler>(
      Images(set).map(torch::data::transforms::Stack<>()), std::stoul(flags.at("--batch")));
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(0.001));
  for (int epoch = 0; epoch < std::stoi(flags.at("--epochs")); ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    double total = 0;
    int minibatches = 0;
    for (auto& batch : *loader) {
      optimizer.zero_grad();
      const auto loss =
          torch::nn::functional::cross_entropy(model->forward(batch.data), batch.target);
      loss.backward();
      optimizer.step();
      total += loss.item<double>();
      ++minibatches;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::cout << "{\"seconds\": " << seconds.count() << ", \"loss\": " << total / minibatches << "}"
              << std::endl;
  }

  const torch::NoGradGuard no_gradients;
  const Images test(mnist::load_dataset(flags.at("--data"), mnist::Split::kTest));
  const auto correct = model->forward(test.images()).argmax(1).eq(test.labels());
  std::cout << "{\"accuracy\": " << correct.to(torch::kFloat64).mean().item<double>() << "}\n";
}
