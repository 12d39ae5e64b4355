// A restricted unpickler: exactly what a file of tensors by torch.save may hold, and nothing else.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "support/byte_reader.hpp"

namespace mnist {

/// One object of a pickle. Which members count depends on `kind`.
struct PickleValue {
  enum class Kind {
    kNone,
    kBool,      ///< integer
    kInteger,   ///< integer
    kFloat,     ///< number
    kString,    ///< text
    kTuple,     ///< items
    kList,      ///< items
    kDict,      ///< items: key, value, key, value, ...
    kFunction,  ///< text: an allowed global that can be called, "module name"
    kStorage,   ///< text: its key; storage_type; integer: its number of elements
    kTensor,    ///< items: storage; offset; shape; strides
  };

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view text;
  std::string_view storage_type;  ///< "FloatStorage" and so on
  std::vector<PickleValue*> items;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;

  /// The value of a string key of a dict, the last one when it was set twice; null without it.
  const PickleValue* find(std::string_view key) const;
};

/// Reads a pickle (protocols 2 to 5) as a tree of plain values. No code is looked up or run: the
/// only globals known are collections.OrderedDict, torch._utils._rebuild_tensor_v2 and
/// _rebuild_parameter, and torch's storage types; any other is refused by name, and so is every
/// opcode that a state dict does not need. Values may form cycles: follow them to a fixed depth.
class Unpickler {
 public:
  /// `pickle` must outlive the unpickler: strings point into it.
  Unpickler(Bytes pickle, std::string_view source);

  /// The object that the pickle holds; it lives as long as the unpickler. Throws Error.
  const PickleValue& load();

 private:
  using Kind = PickleValue::Kind;

  [[noreturn]] void fail(const std::string& what) const;
  PickleValue* make(Kind kind);
  PickleValue* make_integer(Kind kind, std::int64_t value);
  PickleValue* pop();
  PickleValue* top(Kind kind);
  std::vector<PickleValue*> pop_to_mark();
  void push_tuple(std::size_t size);
  void push_global(std::string_view module, std::string_view name);
  void push_from_memo(std::uint32_t index);
  void set_memo(std::uint32_t index);
  std::string_view take_text(std::size_t size);
  std::int64_t take_long();
  void read_persistent_id();
  void call();
  PickleValue* rebuild_tensor(const PickleValue& arguments);
  std::vector<std::int64_t> integers_of(const PickleValue& tuple) const;
  bool step(std::uint8_t opcode);
  bool step_value(std::uint8_t opcode);
  bool step_container(std::uint8_t opcode);

  ByteReader reader_;
  std::string source_;
  std::deque<PickleValue> values_;  ///< owns every object, so cycles need no care
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleValue*> memo_;
};

}  // namespace mnist
