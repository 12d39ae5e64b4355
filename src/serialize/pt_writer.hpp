// Writes state dicts in the form that Python's torch.load(path, weights_only=True) takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serialize/state_dict.hpp"

namespace mnist {

/// The bytes of a .pt file: a plain dict from names to f32 tensors, and `info` in a record of its
/// own that Python passes over. The same arguments give the same bytes.
std::vector<std::uint8_t> pt_bytes(const StateDict& tensors, const std::string& info);

}  // namespace mnist
