// Reads and writes safetensors files.
//
// The format (github.com/huggingface/safetensors, "Format"): the header's size as u64, the header
// as JSON, then the tensors' data; all little-endian.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serialize/state_dict.hpp"
#include "support/byte_reader.hpp"

namespace mnist {

/// Reads a safetensors file; `info` comes from the key "mnist" of its metadata. Throws Error that
/// names `source` unless the header has at most 1 MiB and unique keys, types are F32, F64, F16 or
/// BF16, and the tensors fill the data without overlap or gap.
StoredTensors read_safetensors(Bytes file, const std::string& source);

/// The bytes of a safetensors file with `tensors` as F32 and `info` as metadata. The data start at
/// a multiple of 8 bytes. The same arguments give the same bytes.
std::vector<std::uint8_t> safetensors_bytes(const StateDict& tensors, const std::string& info);

}  // namespace mnist
