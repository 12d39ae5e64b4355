// Exports a model as ONNX.
#pragma once

#include <string>

#include "serialize/formats.hpp"

namespace mnist {

/// The bytes of an ONNX file (onnx.ai, IR version 8, opset 17): input "pixels", f32 [batch,
/// inputs], 0 to 1; output "logits", f32 [batch, classes]. The metadata entries "class_names" and
/// "mnist" hold the class names and the information of the model file, both as JSON.
std::string onnx_bytes(const Model& model);

}  // namespace mnist
