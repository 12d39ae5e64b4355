// Model files: .pt, a plain state dict for torch.load, and .safetensors.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "mnist/model/mlp.hpp"

namespace mnist {

/// The content of a model file.
struct Model {
  Mlp mlp;
  std::vector<std::string> class_names;
  /// How the network was trained: options, data, accuracy. Free-form; null when another program
  /// wrote the file.
  nlohmann::ordered_json training;
};

/// Reads a model that write_model(), torch.save or safetensors wrote; the content, not the suffix,
/// decides the format. Executes nothing and needs no LibTorch. A state dict of another program may
/// name its linear layers in any way; its activation is taken to be ReLU. Throws Error that names
/// the file.
Model read_model(const std::string& path);

/// Writes the model atomically; the suffix of `path` chooses the format. Equal models give equal
/// bytes. Throws Error that names the file.
void write_model(const std::string& path, const Model& model);

}  // namespace mnist
