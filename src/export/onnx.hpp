// A model as ONNX, which most inference programs read.
#pragma once

#include <string>

#include "serialize/model_info.hpp"

namespace mnist {

/// The bytes of an ONNX file (onnx.ai, IR version 8, opset 17): input "pixels", f32 [batch,
/// inputs], 0 to 1; output "logits", f32 [batch, classes]. Classes and the facts of the model file
/// are in its metadata, under "class_names" and "mnist".
std::string onnx_bytes(const Model& model);

}  // namespace mnist
