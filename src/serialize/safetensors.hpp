// The safetensors format (github.com/huggingface/safetensors, "Format").
#pragma once

#include <string>
#include <vector>

#include "serialize/pt_reader.hpp"

namespace mnist {

/// Reads a safetensors file; our facts are under "mnist" in its metadata. Throws Error that names
/// `source` unless header and data agree in every byte: known types, offsets without overlap or
/// gap, shapes that fill them, no name twice.
StoredTensors read_safetensors(Bytes file, const std::string& source);

/// The bytes of a safetensors file with `tensors` as F32 and `info` as metadata.
std::vector<std::uint8_t> safetensors_bytes(const StateDict& tensors, const std::string& info);

}  // namespace mnist
