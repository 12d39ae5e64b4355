// What model files hold, and the two formats: .pt (torch.save) and safetensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mnist/serialize/model_file.hpp"
#include "serialize/state_dict.hpp"
#include "support/bytes.hpp"

namespace mnist {

/// The contents of a model file; nothing has checked that they are an MLP.
struct StoredTensors {
  StateDict tensors;
  std::string info;  ///< the model's metadata as JSON; empty if another program wrote the file
};

/// The metadata: one JSON object with `format` (1), `program`, `shape` (inputs, hidden, classes),
/// `activation`, `class_names`, `training`.
std::string info_text(const Model& model);

/// The model in a file. Without metadata, the activation is ReLU and the classes are numbered from
/// 0. Throws Error when the tensors are not those of an MLP, or the metadata is damaged or
/// contradicts them.
Model make_model(StoredTensors stored);

/// The record of a .pt archive that holds `info`; Python's torch.load ignores it.
inline constexpr const char* kPtInfoRecord = "mnist.json";

/// Reads the zip-based format of torch.save (since PyTorch 1.6; torch/serialization.py): a dict of
/// tensors, or a dict with one under "model", "state_dict" or "model_state_dict"; f32, f64, f16 or
/// bf16, strided, little-endian. Runs no code from the file. The tensors take at most four times
/// the file's size in memory, plus one tensor. Throws Error.
StoredTensors read_pt(Bytes file);

/// Reads a safetensors file; `info` comes from the key "mnist" of its metadata. Throws Error unless
/// the header has at most 1 MiB and unique keys, types are F32, F64, F16 or BF16, and the tensors
/// fill the data without overlap or gap.
StoredTensors read_safetensors(Bytes file);

/// The bytes of a safetensors file (github.com/huggingface/safetensors, "Format") with `tensors` as
/// F32 at a multiple of 8 bytes, and `info` as metadata. Equal arguments give equal bytes.
std::vector<std::uint8_t> safetensors_bytes(const StateDict& tensors, const std::string& info);

}  // namespace mnist
