// A restricted unpickler: exactly what a file of tensors by torch.save may hold, and nothing else.
// The opcodes are those of Python's pickletools.
#include "serialize/unpickler.hpp"

#include <utility>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

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

}  // namespace

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
