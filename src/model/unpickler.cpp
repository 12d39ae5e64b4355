// A restricted unpickler: exactly what a file of tensors by torch.save may hold, and nothing else.
// The opcodes are those of Python's pickletools.
#include "mnist/model/unpickler.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::array<std::string_view, 10> kStorageTypes{
    "FloatStorage", "DoubleStorage", "HalfStorage", "BFloat16Storage", "LongStorage",
    "IntStorage",   "ShortStorage",  "CharStorage", "ByteStorage",     "BoolStorage"};

// Pickle's opcodes for what a state dict may hold.
enum Opcode : std::uint8_t {
  kProto = 0x80,
  kFrame = 0x95,
  kStop = '.',
  kMark = '(',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kBinPut = 'q',
  kLongBinPut = 'r',
  kMemoize = 0x94,
  kBinGet = 'h',
  kLongBinGet = 'j',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBuild = 'b',
};

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, 100)) + "'";
}

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
  for (std::size_t i = items.size(); kind == Kind::kDict && i >= 2; i -= 2) {
    const PickleValue& candidate = *items[i - 2];
    if (candidate.kind == Kind::kString && candidate.text == key) return items[i - 1];
  }
  return nullptr;
}

Unpickler::Unpickler(Bytes pickle, std::string_view source)
    : reader_(pickle, source), source_(source) {}

const PickleValue& Unpickler::load() {
  while (step(reader_.take_little_endian<std::uint8_t>())) {
  }
  return *pop();
}

void Unpickler::fail(const std::string& what) const {
  throw Error(
      source_ + ": is refused: its pickle " + what +
      "; a model is a plain dict of tensors, as torch.save(model.state_dict(), ...) writes");
}

PickleValue* Unpickler::make(Kind kind) {
  PickleValue& value = values_.emplace_back();
  value.kind = kind;
  stack_.push_back(&value);
  return &value;
}

PickleValue* Unpickler::make_integer(Kind kind, std::int64_t number) {
  PickleValue* value = make(kind);
  value->integer = number;
  return value;
}

PickleValue* Unpickler::pop() {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) fail("takes more from the stack than is there");
  PickleValue* value = stack_.back();
  stack_.pop_back();
  return value;
}

PickleValue* Unpickler::top(Kind kind) {
  if (stack_.empty() || stack_.back()->kind != kind) fail("fills an object of another type");
  return stack_.back();
}

std::vector<PickleValue*> Unpickler::pop_to_mark() {
  if (marks_.empty()) fail("has no mark where one is needed");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleValue*> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void Unpickler::push_tuple(std::size_t size) {
  std::vector<PickleValue*> items(size);
  for (std::size_t i = size; i-- > 0;) items[i] = pop();
  make(Kind::kTuple)->items = std::move(items);
}

void Unpickler::push_global(std::string_view module, std::string_view name) {
  if (module == "torch" &&
      std::find(kStorageTypes.begin(), kStorageTypes.end(), name) != kStorageTypes.end()) {
    PickleValue* type = make(Kind::kFunction);
    type->storage_type = name;
    return;
  }
  const std::string full = std::string(module) + " " + std::string(name);
  for (const std::string_view known : {kOrderedDict, kRebuildTensor, kRebuildParameter}) {
    if (full == known) {
      make(Kind::kFunction)->text = known;
      return;
    }
  }
  fail("asks for " + quoted(std::string(module) + "." + std::string(name)));
}

void Unpickler::push_from_memo(std::uint32_t index) {
  if (index >= memo_.size() || memo_[index] == nullptr) fail("recalls what it never stored");
  stack_.push_back(memo_[index]);
}

void Unpickler::set_memo(std::uint32_t index) {
  // Picklers number their memo from 0 without gaps; a far index is an attempt on memory.
  if (index > memo_.size()) fail("stores at memo index " + std::to_string(index) + " out of turn");
  if (stack_.empty()) fail("stores an object that is not there");
  if (index == memo_.size()) memo_.push_back(nullptr);
  memo_[index] = stack_.back();
}

std::string_view Unpickler::take_text(std::size_t size) {
  const Bytes bytes = reader_.take(size);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::int64_t Unpickler::take_long() {
  const auto size = reader_.take_little_endian<std::uint8_t>();
  if (size > sizeof(std::int64_t)) fail("holds an integer of " + std::to_string(size) + " bytes");
  const Bytes bytes = reader_.take(size);
  std::uint64_t bits = size > 0 && (bytes[size - 1U] & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = size; i-- > 0;) bits = (bits << 8) | bytes[i];
  return static_cast<std::int64_t>(bits);
}

/// A persistent id is how torch.save names a storage: ("storage", type, key, device, elements).
void Unpickler::read_persistent_id() {
  const PickleValue& id = *pop();
  const auto& items = id.items;
  if (id.kind != Kind::kTuple || items.size() != 5 || items[0]->text != "storage" ||
      items[1]->kind != Kind::kFunction || items[1]->storage_type.empty() ||
      items[2]->kind != Kind::kString || items[4]->kind != Kind::kInteger) {
    fail("has a persistent id that does not name a storage");
  }
  PickleValue* storage = make_integer(Kind::kStorage, items[4]->integer);
  storage->text = items[2]->text;
  storage->storage_type = items[1]->storage_type;
}

std::vector<std::int64_t> Unpickler::integers_of(const PickleValue& tuple) const {
  constexpr std::size_t kHighestRank = 64;
  if (tuple.kind != Kind::kTuple || tuple.items.size() > kHighestRank) {
    fail("gives a tensor a shape that is no short tuple");
  }
  std::vector<std::int64_t> integers;
  for (const PickleValue* item : tuple.items) {
    if (item->kind != Kind::kInteger) fail("gives a tensor a size that is no integer");
    integers.push_back(item->integer);
  }
  return integers;
}

/// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks[, metadata]).
PickleValue* Unpickler::rebuild_tensor(const PickleValue& arguments) {
  const auto& items = arguments.items;
  if (items.size() < 4 || items[0]->kind != Kind::kStorage || items[1]->kind != Kind::kInteger) {
    fail("rebuilds a tensor from something else than a storage");
  }
  PickleValue* tensor = make(Kind::kTensor);
  tensor->items = {items[0]};
  tensor->offset = items[1]->integer;
  tensor->shape = integers_of(*items[2]);
  tensor->strides = integers_of(*items[3]);
  return tensor;
}

void Unpickler::call() {
  const PickleValue& arguments = *pop();
  const PickleValue& function = *pop();
  if (arguments.kind != Kind::kTuple || function.kind != Kind::kFunction) {
    fail("calls what is no function");
  }
  if (function.text == kOrderedDict && arguments.items.empty()) {
    make(Kind::kDict);
  } else if (function.text == kRebuildTensor) {
    rebuild_tensor(arguments);
  } else if (function.text == kRebuildParameter && !arguments.items.empty() &&
             arguments.items[0]->kind == Kind::kTensor) {
    stack_.push_back(arguments.items[0]);
  } else {
    fail("calls " + quoted(function.text) + " with arguments that no state dict has");
  }
}

bool Unpickler::step(std::uint8_t opcode) {
  if (opcode == kStop) return false;
  if (!step_value(opcode) && !step_container(opcode)) {
    fail("has opcode " + std::to_string(opcode) + ", which no state dict needs");
  }
  return true;
}

/// Opcodes that push one value, or handle the memo.
bool Unpickler::step_value(std::uint8_t opcode) {
  switch (opcode) {
    case kProto: {
      const auto version = reader_.take_little_endian<std::uint8_t>();
      if (version < 2 || version > 5) fail("has protocol " + std::to_string(version));
      return true;
    }
    case kFrame:
      reader_.take(8);
      return true;
    case kNone:
      make(Kind::kNone);
      return true;
    case kNewTrue:
    case kNewFalse:
      make_integer(Kind::kBool, opcode == kNewTrue ? 1 : 0);
      return true;
    case kBinInt:
      make_integer(Kind::kInteger, reader_.take_little_endian<std::int32_t>());
      return true;
    case kBinInt1:
      make_integer(Kind::kInteger, reader_.take_little_endian<std::uint8_t>());
      return true;
    case kBinInt2:
      make_integer(Kind::kInteger, reader_.take_little_endian<std::uint16_t>());
      return true;
    case kLong1:
      make_integer(Kind::kInteger, take_long());
      return true;
    case kBinFloat:
      make(Kind::kFloat)->number = reader_.take_big_endian<double>();
      return true;
    case kBinUnicode: {
      const std::string_view text = take_text(reader_.take_little_endian<std::uint32_t>());
      make(Kind::kString)->text = text;
      return true;
    }
    case kShortBinUnicode: {
      const std::string_view text = take_text(reader_.take_little_endian<std::uint8_t>());
      make(Kind::kString)->text = text;
      return true;
    }
    case kGlobal: {
      const std::string_view module = reader_.take_line();
      push_global(module, reader_.take_line());
      return true;
    }
    case kStackGlobal: {
      const PickleValue* name = pop();
      push_global(pop()->text, name->text);
      return true;
    }
    case kBinPut:
      set_memo(reader_.take_little_endian<std::uint8_t>());
      return true;
    case kLongBinPut:
      set_memo(reader_.take_little_endian<std::uint32_t>());
      return true;
    case kMemoize:
      set_memo(static_cast<std::uint32_t>(memo_.size()));
      return true;
    case kBinGet:
      push_from_memo(reader_.take_little_endian<std::uint8_t>());
      return true;
    case kLongBinGet:
      push_from_memo(reader_.take_little_endian<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

/// Opcodes that make or fill containers, and the few calls there are.
bool Unpickler::step_container(std::uint8_t opcode) {
  switch (opcode) {
    case kMark:
      marks_.push_back(stack_.size());
      return true;
    case kEmptyTuple:
      make(Kind::kTuple);
      return true;
    case kTuple1:
    case kTuple2:
    case kTuple3:
      push_tuple(std::size_t{opcode} - kTuple1 + 1);
      return true;
    case kTuple: {
      std::vector<PickleValue*> items = pop_to_mark();
      make(Kind::kTuple)->items = std::move(items);
      return true;
    }
    case kEmptyList:
      make(Kind::kList);
      return true;
    case kAppend: {
      PickleValue* item = pop();
      top(Kind::kList)->items.push_back(item);
      return true;
    }
    case kEmptyDict:
      make(Kind::kDict);
      return true;
    case kSetItem: {
      PickleValue* value = pop();
      PickleValue* key = pop();
      auto& items = top(Kind::kDict)->items;
      items.insert(items.end(), {key, value});
      return true;
    }
    case kAppends:
    case kSetItems: {
      const std::vector<PickleValue*> added = pop_to_mark();
      if (opcode == kSetItems && added.size() % 2 != 0) fail("has a key without a value");
      auto& items = top(opcode == kAppends ? Kind::kList : Kind::kDict)->items;
      items.insert(items.end(), added.begin(), added.end());
      return true;
    }
    case kBinPersId:
      read_persistent_id();
      return true;
    case kReduce:
      call();
      return true;
    case kBuild:
      // An OrderedDict's own attributes (_metadata of a state dict) say nothing that we need.
      pop();
      top(Kind::kDict);
      return true;
    default:
      return false;
  }
}

}  // namespace mnist
