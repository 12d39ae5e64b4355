// A stack machine for the opcodes, globals and calls that state dicts need.
#include "serialize/unpickler.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";
constexpr std::array<std::string_view, 13> kGlobals{
    kOrderedDict,          kRebuildTensor,       kRebuildParameter,       "torch.FloatStorage",
    "torch.DoubleStorage", "torch.HalfStorage",  "torch.BFloat16Storage", "torch.LongStorage",
    "torch.IntStorage",    "torch.ShortStorage", "torch.CharStorage",     "torch.ByteStorage",
    "torch.BoolStorage"};

[[noreturn]] void fail(const std::string& what) {
  throw Error("its pickle " + what +
              "; expected a plain dict of tensors, as torch.save(model.state_dict(), ...) writes");
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text.substr(0, 100)) + "'";
}

/// Reads one pickle.
class Unpickler {
 public:
  explicit Unpickler(Bytes pickle) : reader_(pickle) {}

  Pickle load() {
    constexpr std::uint8_t kStop = '.';
    for (auto opcode = take<std::uint8_t>(); opcode != kStop; opcode = take<std::uint8_t>()) {
      execute(opcode);
    }
    const PickleValue* root = pop();
    return {std::move(values_), root};
  }

 private:
  using Kind = PickleValue::Kind;
  using Items = std::vector<PickleValue*>;

  template <class Integer>
  Integer take() {
    return reader_.take_little_endian<Integer>();
  }

  void push(PickleValue value) { stack_.push_back(&values_.emplace_back(std::move(value))); }
  void push_integer(std::int64_t value) { push({.kind = Kind::kInteger, .integer = value}); }
  void push_text(std::size_t size) {
    push({.kind = Kind::kString, .text = text_of(reader_.take(size))});
  }
  void push_tuple(Items items) { push({.kind = Kind::kTuple, .items = std::move(items)}); }

  /// A value that the file stores in `size` bytes.
  void push_other(std::size_t size) {
    reader_.take(size);
    push({});
  }

  void push_from_memo(std::size_t index) {
    if (index >= memo_.size()) fail("reads unset memo entry " + std::to_string(index));
    stack_.push_back(memo_[index]);
  }

  void set_memo(std::size_t index) {
    // Picklers number memo entries without gaps; a large index would only waste memory.
    if (index > memo_.size()) fail("skips memo entries up to " + std::to_string(index));
    if (stack_.empty()) fail("memoizes from an empty stack");
    if (index == memo_.size()) memo_.push_back(nullptr);
    memo_[index] = stack_.back();
  }

  PickleValue* pop() {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) fail("pops from an empty stack");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }

  /// The top `count` values, the topmost last.
  Items pop(std::size_t count) {
    Items items(count);
    while (count-- > 0) items[count] = pop();
    return items;
  }

  Items pop_to_mark() {
    if (marks_.empty()) fail("pops to a mark, but has set none");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    Items items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  /// Appends to the container on top of the stack.
  void append(Kind container, const Items& items) {
    if (stack_.empty() || stack_.back()->kind != container) fail("adds items to the wrong type");
    stack_.back()->items.insert(stack_.back()->items.end(), items.begin(), items.end());
  }

  /// A signed little-endian integer with a size byte before it.
  std::int64_t take_long() {
    const auto size = take<std::uint8_t>();
    if (size > sizeof(std::int64_t)) fail("has an integer of " + std::to_string(size) + " bytes");
    const Bytes bytes = reader_.take(size);
    std::uint64_t bits = size > 0 && (bytes[size - 1U] & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = size; i-- > 0;) bits = (bits << 8) | bytes[i];
    return static_cast<std::int64_t>(bits);
  }

  static void check_protocol(int version) {
    if (version < 2 || version > 5) fail("has protocol " + std::to_string(version) + ", not 2-5");
  }

  void set_items(const Items& items) {
    if (items.size() % 2 != 0) fail("has a key without a value");
    append(Kind::kDict, items);
  }

  /// The comments give the names of opcodes in pickletools.
  void execute(std::uint8_t opcode) {
    using Action = void (*)(Unpickler&);
    static const std::map<std::uint8_t, Action> kActions{
        {0x80, [](Unpickler& u) { u.check_protocol(u.take<std::uint8_t>()); }},  // PROTO
        {0x95, [](Unpickler& u) { u.reader_.take(8); }},                         // FRAME
        {'N', [](Unpickler& u) { u.push_other(0); }},                            // NONE
        {0x88, [](Unpickler& u) { u.push_other(0); }},                           // NEWTRUE
        {0x89, [](Unpickler& u) { u.push_other(0); }},                           // NEWFALSE
        {'J', [](Unpickler& u) { u.push_integer(u.take<std::int32_t>()); }},     // BININT
        {'K', [](Unpickler& u) { u.push_integer(u.take<std::uint8_t>()); }},     // BININT1
        {'M', [](Unpickler& u) { u.push_integer(u.take<std::uint16_t>()); }},    // BININT2
        {0x8a, [](Unpickler& u) { u.push_integer(u.take_long()); }},             // LONG1
        {'G', [](Unpickler& u) { u.push_other(8); }},                            // BINFLOAT
        {'X', [](Unpickler& u) { u.push_text(u.take<std::uint32_t>()); }},       // BINUNICODE
        {0x8c, [](Unpickler& u) { u.push_text(u.take<std::uint8_t>()); }},       // SHORT_BINUNICODE
        {'(', [](Unpickler& u) { u.marks_.push_back(u.stack_.size()); }},        // MARK
        {')', [](Unpickler& u) { u.push_tuple({}); }},                           // EMPTY_TUPLE
        {0x85, [](Unpickler& u) { u.push_tuple(u.pop(1)); }},                    // TUPLE1
        {0x86, [](Unpickler& u) { u.push_tuple(u.pop(2)); }},                    // TUPLE2
        {0x87, [](Unpickler& u) { u.push_tuple(u.pop(3)); }},                    // TUPLE3
        {'t', [](Unpickler& u) { u.push_tuple(u.pop_to_mark()); }},              // TUPLE
        {']', [](Unpickler& u) { u.push({Kind::kList}); }},                      // EMPTY_LIST
        {'a', [](Unpickler& u) { u.append(Kind::kList, u.pop(1)); }},            // APPEND
        {'e', [](Unpickler& u) { u.append(Kind::kList, u.pop_to_mark()); }},     // APPENDS
        {'}', [](Unpickler& u) { u.push({Kind::kDict}); }},                      // EMPTY_DICT
        {'s', [](Unpickler& u) { u.set_items(u.pop(2)); }},                      // SETITEM
        {'u', [](Unpickler& u) { u.set_items(u.pop_to_mark()); }},               // SETITEMS
        {'q', [](Unpickler& u) { u.set_memo(u.take<std::uint8_t>()); }},         // BINPUT
        {'r', [](Unpickler& u) { u.set_memo(u.take<std::uint32_t>()); }},        // LONG_BINPUT
        {0x94, [](Unpickler& u) { u.set_memo(u.memo_.size()); }},                // MEMOIZE
        {'h', [](Unpickler& u) { u.push_from_memo(u.take<std::uint8_t>()); }},   // BINGET
        {'j', [](Unpickler& u) { u.push_from_memo(u.take<std::uint32_t>()); }},  // LONG_BINGET
        {'c',                                                                    // GLOBAL
         [](Unpickler& u) {
           const std::string_view module = u.reader_.take_line();
           u.push_global(module, u.reader_.take_line());
         }},
        {0x93,  // STACK_GLOBAL
         [](Unpickler& u) {
           const Items names = u.pop(2);
           u.push_global(names[0]->text, names[1]->text);
         }},
        {'Q', [](Unpickler& u) { u.push_storage(); }},  // BINPERSID
        {'R', [](Unpickler& u) { u.call(); }},          // REDUCE
        {'b',  // BUILD: sets attributes, such as the _metadata of a state dict; ignored
         [](Unpickler& u) {
           u.pop();
           u.append(Kind::kDict, {});
         }},
    };
    const auto found = kActions.find(opcode);
    if (found == kActions.end()) {
      fail("has opcode " + std::to_string(opcode) + ", which no state dict needs");
    }
    found->second(*this);
  }

  void push_global(std::string_view module, std::string_view name) {
    const std::string full = std::string(module) + "." + std::string(name);
    const auto known = std::find(kGlobals.begin(), kGlobals.end(), full);
    if (known == kGlobals.end()) fail("references " + in_quotes(full));
    push({.kind = Kind::kFunction, .text = *known});
  }

  /// A persistent ID is how torch.save names a storage: ("storage", type, key, device, elements).
  void push_storage() {
    const PickleValue& id = *pop();
    const auto& items = id.items;
    if (id.kind != Kind::kTuple || items.size() != 5 || items[0]->text != "storage" ||
        items[1]->kind != Kind::kFunction || !items[1]->text.ends_with("Storage") ||
        items[2]->kind != Kind::kString || items[4]->kind != Kind::kInteger) {
      fail("has a persistent ID that does not name a storage");
    }
    push({.kind = Kind::kStorage,
          .integer = items[4]->integer,
          .text = items[2]->text,
          .storage_type = items[1]->text});
  }

  static std::vector<std::int64_t> integers_of(const PickleValue& tuple) {
    constexpr std::size_t kMaxRank = 64;
    const auto is_integer = [](const PickleValue* item) { return item->kind == Kind::kInteger; };
    if (tuple.kind != Kind::kTuple || tuple.items.size() > kMaxRank ||
        !std::all_of(tuple.items.begin(), tuple.items.end(), is_integer)) {
      fail("has a tensor whose shape or strides are not a tuple of at most " +
           std::to_string(kMaxRank) + " integers");
    }
    std::vector<std::int64_t> integers;
    for (const PickleValue* item : tuple.items) integers.push_back(item->integer);
    return integers;
  }

  /// Arguments: storage, offset, shape, strides, requires_grad, backward_hooks[, metadata].
  void push_tensor(const PickleValue& arguments) {
    const auto& items = arguments.items;
    if (items.size() < 4 || items[0]->kind != Kind::kStorage || items[1]->kind != Kind::kInteger) {
      fail("rebuilds a tensor from something other than a storage");
    }
    push({.kind = Kind::kTensor,
          .items = {items[0]},
          .offset = items[1]->integer,
          .shape = integers_of(*items[2]),
          .strides = integers_of(*items[3])});
  }

  void call() {
    const PickleValue& arguments = *pop();
    const PickleValue& function = *pop();
    if (arguments.kind != Kind::kTuple || function.kind != Kind::kFunction) {
      fail("calls something other than a function");
    }
    if (function.text == kOrderedDict && arguments.items.empty()) {
      push({Kind::kDict});
    } else if (function.text == kRebuildTensor) {
      push_tensor(arguments);
    } else if (function.text == kRebuildParameter && !arguments.items.empty() &&
               arguments.items[0]->kind == Kind::kTensor) {
      stack_.push_back(arguments.items[0]);
    } else {
      fail("calls " + in_quotes(function.text) + " with arguments that no state dict has");
    }
  }

  ByteReader reader_;
  std::deque<PickleValue> values_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleValue*> memo_;
};

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
  for (std::size_t i = items.size(); kind == Kind::kDict && i >= 2; i -= 2) {
    const PickleValue& candidate = *items[i - 2];
    if (candidate.kind == Kind::kString && candidate.text == key) return items[i - 1];
  }
  return nullptr;
}

Pickle unpickle(Bytes bytes) {
  constexpr std::size_t kMaxSize = std::size_t{4} << 20;
  if (bytes.size() > kMaxSize) {
    fail("has " + std::to_string(bytes.size()) + " bytes, more than the supported " +
         std::to_string(kMaxSize));
  }
  return Unpickler(bytes).load();
}

}  // namespace mnist
