// Writes models in formats that other programs read.
#pragma once

#include <string>

#include "mnist/support/enum_names.hpp"

namespace mnist {

struct Mlp;
struct Model;

/// See mnist-export --to.
enum class ExportFormat { kOnnx, kSafetensors, kC, kHtml };
template <>
inline constexpr Names<4> kEnumNames<ExportFormat>{"onnx", "safetensors", "c", "html"};

/// The type of exported weights.
enum class Precision { kF32, kInt8 };
template <>
inline constexpr Names<2> kEnumNames<Precision>{"f32", "int8"};

/// The bytes of an ONNX file (onnx.ai, IR version 8, opset 17): input "pixels", f32 [batch,
/// inputs], 0 to 1; output "logits", f32 [batch, classes]. The metadata entries "class_names" and
/// "mnist" hold the class names and the information of the model file, both as JSON.
std::string onnx_bytes(const Model& model);

/// A C99 header that includes nothing but math.h, with the weights and a function
/// `int mnist_predict(const float pixels[MNIST_INPUTS], float probabilities[MNIST_CLASSES])` that
/// returns the most probable class. int8 weights take a quarter of the memory; sums stay f32.
std::string c_header_text(const Model& model, Precision precision);

/// `mlp` with its weights rounded to eight bits, as in C headers, and converted back; biases stay
/// f32.
Mlp through_int8(Mlp mlp);

/// One self-contained HTML page: the user draws with a mouse or finger, and the network, which runs
/// in the page, classifies the drawing. `model` must take square images.
std::string drawing_page(const Model& model);

}  // namespace mnist
