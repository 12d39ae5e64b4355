// A restricted unpickler for state dicts: reads untrusted pickles without running anything.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "support/bytes.hpp"

namespace mnist {

/// One object of a pickle; `kind` says which members are set.
struct PickleValue {
  enum class Kind {
    kOther,     ///< None, a bool or a float, whose value no state dict needs
    kInteger,   ///< integer
    kString,    ///< text
    kTuple,     ///< items
    kList,      ///< items
    kDict,      ///< items: key, value, key, value, ...
    kFunction,  ///< text: a supported global, "module.name"
    kStorage,   ///< text: its key; storage_type; integer: its number of elements
    kTensor,    ///< items: storage; offset; shape; strides
  };

  Kind kind = Kind::kOther;
  std::int64_t integer = 0;
  std::string_view text{};
  std::string_view storage_type{};  ///< "torch.FloatStorage", "torch.HalfStorage", ...
  std::vector<PickleValue*> items{};
  std::int64_t offset = 0;  ///< in elements, as are strides
  std::vector<std::int64_t> shape{};
  std::vector<std::int64_t> strides{};

  /// The last value of a string key in a dict; null if there is none.
  const PickleValue* find(std::string_view key) const;
};

/// A pickle as a tree of plain values, which may form cycles.
struct Pickle {
  std::deque<PickleValue> values;  ///< owns every object; strings point into the file
  const PickleValue* root = nullptr;
};

/// Reads a pickle of protocol 2 to 5 (Python's Lib/pickletools.py); `bytes` must outlive the
/// result. The only globals are collections.OrderedDict, torch's storage types, and torch._utils's
/// _rebuild_tensor_v2 and _rebuild_parameter. Throws Error for all others, for opcodes that state
/// dicts never use, and above 4 MiB, as each byte may need 150 in memory.
Pickle unpickle(Bytes bytes);

}  // namespace mnist
