// One image at a time; the hot loop is a dot product.
#include "model/forward.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "mnist/support/pixel.hpp"

namespace mnist {
namespace {

double activated(Activation activation, double value) {
  switch (activation) {
    case Activation::kRelu:
      return std::max(value, 0.0);
    case Activation::kTanh:
      return std::tanh(value);
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-value));
    case Activation::kIdentity:
      return value;
  }
  return value;
}

/// Eight partial sums, which the compiler keeps in vector registers.
double dot(const float* a, const float* b, std::size_t count) {
  constexpr std::size_t kSums = 8;
  std::array<double, kSums> sums{};
  std::size_t k = 0;
  for (; k + kSums <= count; k += kSums) {
    for (std::size_t i = 0; i < kSums; ++i) {
      sums[i] += static_cast<double>(a[k + i]) * static_cast<double>(b[k + i]);
    }
  }
  for (; k < count; ++k) sums[0] += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

std::vector<float> forward(const Mlp& mlp, std::span<const std::uint8_t> image) {
  std::vector<float> values(image.begin(), image.end());
  for (float& value : values) value /= static_cast<float>(kMaxPixel);
  for (const Linear& layer : mlp.layers) {
    const bool last = &layer == &mlp.layers.back();
    std::vector<float> outputs;
    for (std::size_t j = 0; j < layer.bias.size(); ++j) {
      const double sum = static_cast<double>(layer.bias[j]) +
                         dot(&layer.weight[j * values.size()], values.data(), values.size());
      outputs.push_back(static_cast<float>(last ? sum : activated(mlp.activation, sum)));
    }
    values = std::move(outputs);
  }
  return values;
}

std::vector<float> softmax(std::span<const float> logits) {
  const float largest = *std::ranges::max_element(logits);
  std::vector<float> values;
  double sum = 0;
  for (const float logit : logits) {
    values.push_back(std::exp(logit - largest));
    sum += static_cast<double>(values.back());
  }
  for (float& value : values) value = static_cast<float>(static_cast<double>(value) / sum);
  return values;
}

}  // namespace mnist
