// Writes model files: .pt, a plain state dict for torch.load, and .safetensors.
#pragma once

#include <string>

#include "serialize/model_info.hpp"

namespace mnist {

/// Writes the model, whole or not at all; the suffix of `path` chooses the format. The same model
/// gives the same bytes. Throws Error that names the file.
void save_model(const std::string& path, const Model& model);

}  // namespace mnist
