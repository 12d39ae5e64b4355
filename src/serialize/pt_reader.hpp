// Reads .pt model files, written by torch.save or by this program.
#pragma once

#include <string>

#include "serialize/state_dict.hpp"
#include "support/byte_reader.hpp"

namespace mnist {

/// The record of a .pt archive that holds `info`; Python's torch.load ignores it.
inline constexpr const char* kPtInfoRecord = "mnist.json";

/// Reads the zip-based format of torch.save (since PyTorch 1.6; torch/serialization.py and
/// caffe2/serialize/inline_container.h): a dict of names and tensors, or a dict with one under
/// "model", "state_dict" or "model_state_dict". Tensors may be f32, f64, f16 or bf16, strided and
/// little-endian. Runs no code from the file. The tensors take at most four times the file's size
/// in memory, plus one tensor. Throws Error that names `source`.
StoredTensors read_pt(Bytes file, const std::string& source);

}  // namespace mnist
