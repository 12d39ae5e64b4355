// Reads model files, .pt and .safetensors, without LibTorch.
#pragma once

#include <string>

#include "serialize/model_info.hpp"

namespace mnist {

/// Reads a model that we, or Python, wrote; the format is told by content. Throws Error that names
/// the file.
Model load_model(const std::string& path);

}  // namespace mnist
