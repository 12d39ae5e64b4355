// A restricted unpickler for state dicts: reads untrusted pickles without running anything.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "support/byte_reader.hpp"

namespace mnist {

/// One object of a pickle; `kind` says which members are set.
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
    kFunction,  ///< text: a supported global, "module.name"
    kStorage,   ///< text: its key; storage_type; integer: its number of elements
    kTensor,    ///< items: storage; offset; shape; strides
  };

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view text;
  std::string_view storage_type;  ///< "FloatStorage", "HalfStorage", ...
  std::vector<PickleValue*> items;
  std::int64_t offset = 0;  ///< in elements, as are strides
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;

  /// The last value of a string key in a dict; null if there is none.
  const PickleValue* find(std::string_view key) const;
};

/// Reads a pickle of protocol 2 to 5 (Python's Lib/pickletools.py) as a tree of plain values. The
/// only globals are collections.OrderedDict, torch's storage types, and torch._utils's
/// _rebuild_tensor_v2 and _rebuild_parameter; all others are refused, as are opcodes that state
/// dicts never use. Values may form cycles.
class Unpickler {
 public:
  /// `pickle` must outlive the unpickler: strings point into it. Throws Error above 4 MiB, as each
  /// byte may need 150 in memory.
  Unpickler(Bytes pickle, std::string_view source);

  /// The pickled object, owned by the unpickler. Throws Error that names the source. Call it once.
  const PickleValue& load();

 private:
  using Kind = PickleValue::Kind;

  [[noreturn]] void fail(const std::string& what) const;
  void execute(std::uint8_t opcode);

  template <class Integer>
  Integer take() {
    return reader_.take_little_endian<Integer>();
  }
  std::int64_t take_long();
  void check_protocol(int version) const;

  PickleValue* push(Kind kind);
  void push_integer(std::int64_t value);
  void push_float(double value);
  void push_text(std::size_t size);
  void push_tuple(std::vector<PickleValue*> items);
  void push_from_memo(std::size_t index);
  void set_memo(std::size_t index);
  PickleValue* pop();
  std::vector<PickleValue*> pop(std::size_t count);
  std::vector<PickleValue*> pop_to_mark();
  void append(Kind container, const std::vector<PickleValue*>& items);
  void set_items(const std::vector<PickleValue*>& items);

  void push_global(std::string_view module, std::string_view name);
  void push_storage();
  void push_tensor(const PickleValue& arguments);
  void call();
  std::vector<std::int64_t> integers_of(const PickleValue& tuple) const;

  ByteReader reader_;
  std::string source_;
  std::deque<PickleValue> values_;  ///< owns every object, whatever refers to it
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleValue*> memo_;
};

}  // namespace mnist
