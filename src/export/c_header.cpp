// Fills the template c_header.h with arrays and calls.
#include "export/c_header.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <type_traits>

#include <spdlog/fmt/fmt.h>

#include "model/quantise.hpp"
#include "support/text.hpp"

namespace mnist {

extern const std::string_view kCHeader;  // c_header.h, embedded

namespace {

constexpr std::size_t kNumbersPerLine = 16;

std::string number(float value) {
  const std::string text = fmt::format("{}", value);
  const bool is_integer = text.find_first_of(".e") == std::string::npos;
  return text + (is_integer ? ".0f" : "f");
}

std::string number(std::int8_t value) {
  return std::to_string(value);
}

/// The definition of a constant array.
template <class Number>
std::string array_text(const std::string& name, const std::vector<Number>& values) {
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

std::string names_text(const std::vector<std::string>& names) {
  std::string text = "{";
  for (const std::string& name : names) text += (text.size() > 1 ? ", " : "") + literal(name);
  return text + "}";
}

const char* activation_formula(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "values[i] > 0.0f ? values[i] : 0.0f";
    case Activation::kTanh:
      return "tanhf(values[i])";
    case Activation::kSigmoid:
      return "1.0f / (1.0f + expf(-values[i]))";
    case Activation::kIdentity:
      return "values[i]";
  }
  return "values[i]";
}

/// C code of all layers.
struct LayersText {
  std::string arrays;  ///< definitions of weights, scales and biases
  std::string calls;   ///< the forward pass, from `pixels` to logits in `probabilities`
};

LayersText layers_text(const Model& model, Precision precision) {
  LayersText text;
  std::string inputs = "pixels";
  for (std::size_t layer = 0; layer < model.mlp.layers.size(); ++layer) {
    const Linear& linear = model.mlp.layers[layer];
    const std::string weights = fmt::format("mnist_weights_{}", layer);
    std::string scales = "0";
    if (precision == Precision::kInt8) {
      const QuantisedWeights quantised = quantise(linear);
      scales = fmt::format("mnist_scales_{}", layer);
      text.arrays += array_text(weights, quantised.values) + array_text(scales, quantised.scales);
    } else {
      text.arrays += array_text(weights, linear.weight);
    }
    const std::string biases = fmt::format("mnist_biases_{}", layer);
    text.arrays += array_text(biases, linear.bias);
    const bool last = layer + 1 == model.mlp.layers.size();
    const std::string outputs = last ? "probabilities" : (layer % 2 == 0 ? "even" : "odd");
    text.calls += fmt::format("  mnist_linear({}, {}, {}, {}, {}, {}, {});\n", weights, scales,
                              biases, linear.outputs, linear.inputs, inputs, outputs);
    if (!last) text.calls += fmt::format("  mnist_activate({}, {});\n", outputs, linear.outputs);
    inputs = outputs;
  }
  return text;
}

std::string accuracy_note(const Model& model) {
  const auto found = model.training.find("test_accuracy");
  if (found == model.training.end() || !found->is_number()) return "";
  return fmt::format("Test accuracy after training: {:.2f} %.", 100 * found->get<double>());
}

}  // namespace

std::string c_header_text(const Model& model, Precision precision) {
  const LayersText layers = layers_text(model, precision);
  const auto hidden = model.mlp.shape().hidden;
  const std::map<std::string_view, std::string> fields{
      {"shape", to_string(model.mlp.shape())},
      {"precision", std::string(name_of(precision))},
      {"accuracy", accuracy_note(model)},
      {"inputs", std::to_string(model.mlp.shape().inputs)},
      {"classes", std::to_string(model.mlp.shape().classes)},
      {"max_width",
       std::to_string(hidden.empty() ? 1 : *std::max_element(hidden.begin(), hidden.end()))},
      {"class_names", names_text(model.class_names)},
      {"weights", layers.arrays},
      {"type", precision == Precision::kInt8 ? "signed char" : "float"},
      {"activation", activation_formula(model.mlp.activation)},
      {"layers", layers.calls}};
  return fill_template(kCHeader, fields);
}

}  // namespace mnist
