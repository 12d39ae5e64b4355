// Fills the template c_header.h with arrays and calls.
#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string_view>
#include <type_traits>

#include <spdlog/fmt/fmt.h>

#include "export/exporters.hpp"
#include "mnist/serialize/model_file.hpp"
#include "support/text.hpp"

namespace mnist {

extern const std::string_view kCHeader;  // c_header.h, embedded

namespace {

template <class Number>
std::string number(Number value) {
  const std::string text = fmt::format("{}", value);
  if (!std::is_same_v<Number, float>) return text;
  return text + (text.find_first_of(".e") == std::string::npos ? ".0f" : "f");
}

/// The definition of a constant array.
template <class Number>
std::string array_text(const std::string& name, const std::vector<Number>& values) {
  constexpr std::size_t kNumbersPerLine = 16;
  const char* const type = std::is_same_v<Number, float> ? "float" : "signed char";
  std::string text = fmt::format("static const {} {}[{}] = {{", type, name, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += (i % kNumbersPerLine == 0 ? "\n  " : " ") + number(values[i]) + ",";
  }
  return text + "\n};\n";
}

/// A C string literal of untrusted text, with octal escapes.
std::string literal(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const bool plain =
        c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '?';  // "??" could begin a trigraph
    quoted += plain ? std::string(1, c) : fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  }
  return quoted + "\"";
}

/// A weight matrix in eight bits: value = integer * scale of its row.
struct QuantizedWeights {
  std::vector<std::int8_t> values;  ///< [outputs, inputs], -127 to 127
  std::vector<float> scales;        ///< [outputs]
};

/// The nearest integers, with a scale for each row that makes its largest weight 127.
QuantizedWeights quantize(const Linear& layer) {
  constexpr float kMax = 127;
  const auto inputs = static_cast<std::size_t>(layer.inputs);
  QuantizedWeights quantized;
  for (std::size_t begin = 0; begin < layer.weight.size(); begin += inputs) {
    const auto row = std::span(layer.weight).subspan(begin, inputs);
    float largest = 0;
    for (const float weight : row) largest = std::max(largest, std::abs(weight));
    const float scale = largest > 0 ? largest / kMax : 1;
    quantized.scales.push_back(scale);
    for (const float weight : row) {
      const float value = std::clamp(std::round(weight / scale), -kMax, kMax);
      quantized.values.push_back(static_cast<std::int8_t>(value));
    }
  }
  return quantized;
}

using Fields = std::map<std::string_view, std::string>;

/// Adds the definitions of weights, scales and biases, and the forward pass, from `pixels` to
/// logits in `probabilities`.
void add_layers(Fields& fields, const Model& model, Precision precision) {
  std::string& arrays = fields["weights"];
  std::string& calls = fields["layers"];
  std::string inputs = "pixels";
  for (std::size_t layer = 0; layer < model.mlp.layers.size(); ++layer) {
    const Linear& linear = model.mlp.layers[layer];
    const std::string weights = fmt::format("mnist_weights_{}", layer);
    std::string scales = "0";
    if (precision == Precision::kInt8) {
      const QuantizedWeights quantized = quantize(linear);
      scales = fmt::format("mnist_scales_{}", layer);
      arrays += array_text(weights, quantized.values) + array_text(scales, quantized.scales);
    } else {
      arrays += array_text(weights, linear.weight);
    }
    const std::string biases = fmt::format("mnist_biases_{}", layer);
    arrays += array_text(biases, linear.bias);
    const bool last = layer + 1 == model.mlp.layers.size();
    const std::string outputs = last ? "probabilities" : (layer % 2 == 0 ? "even" : "odd");
    calls += fmt::format("  mnist_linear({}, {}, {}, {}, {}, {}, {});\n", weights, scales, biases,
                         linear.outputs, linear.inputs, inputs, outputs);
    if (!last) calls += fmt::format("  mnist_activate({}, {});\n", outputs, linear.outputs);
    inputs = outputs;
  }
}

}  // namespace

std::string c_header_text(const Model& model, Precision precision) {
  static const std::map<Activation, std::string> kFormulas{
      {Activation::kRelu, "values[i] > 0.0f ? values[i] : 0.0f"},
      {Activation::kTanh, "tanhf(values[i])"},
      {Activation::kSigmoid, "1.0f / (1.0f + expf(-values[i]))"},
      {Activation::kIdentity, "values[i]"}};
  const MlpShape shape = model.mlp.shape();
  std::string accuracy;
  const auto found = model.training.find("test_accuracy");
  if (found != model.training.end() && found->is_number()) {
    accuracy = fmt::format("Test accuracy after training: {:.2f} %.", 100 * found->get<double>());
  }
  std::string names;
  for (const std::string& name : model.class_names) {
    names += (names.empty() ? "" : ", ") + literal(name);
  }
  Fields fields{
      {"shape", to_string(shape)},
      {"precision", std::string(name_of(precision))},
      {"accuracy", accuracy},
      {"inputs", std::to_string(shape.inputs)},
      {"classes", std::to_string(shape.classes)},
      {"max_width", std::to_string(shape.hidden.empty() ? 1 : std::ranges::max(shape.hidden))},
      {"class_names", "{" + names + "}"},
      {"type", precision == Precision::kInt8 ? "signed char" : "float"},
      {"activation", kFormulas.at(model.mlp.activation)}};
  add_layers(fields, model, precision);
  return fill_template(kCHeader, fields);
}

Mlp through_int8(Mlp mlp) {
  for (Linear& layer : mlp.layers) {
    const QuantizedWeights quantized = quantize(layer);
    const auto inputs = static_cast<std::size_t>(layer.inputs);
    for (std::size_t i = 0; i < layer.weight.size(); ++i) {
      layer.weight[i] = static_cast<float>(quantized.values[i]) * quantized.scales[i / inputs];
    }
  }
  return mlp;
}

}  // namespace mnist
