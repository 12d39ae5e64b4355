// Reads model files that torch.save, or this program, wrote.
#pragma once

#include <string>

#include "mnist/model/state_dict.hpp"
#include "support/byte_reader.hpp"

namespace mnist {

/// What a model file holds before it is checked for being a network of ours.
struct StoredTensors {
  StateDict tensors;
  std::string info;  ///< our facts about the model as JSON; empty when someone else wrote the file
};

/// The record of a .pt archive in which our facts travel; Python's torch.load passes over it.
inline constexpr const char* kPtInfoRecord = "mnist.json";

/// Reads a zip-form .pt file: a dict of names and tensors, or a dict that has one under "model",
/// "state_dict" or "model_state_dict". Never runs code, never allocates more than a small multiple
/// of the file's size. Throws Error that names `source`.
StoredTensors read_pt(Bytes file, const std::string& source);

}  // namespace mnist
