// The stack machine; opcodes are named as in pickletools. Globals: see unpickler_objects.cpp.
#include "serialize/unpickler.hpp"

#include <utility>

#include "mnist/support/error.hpp"

namespace mnist {

Unpickler::Unpickler(Bytes pickle, std::string_view source)
    : reader_(pickle, source), source_(source) {
  constexpr std::size_t kMaxSize = std::size_t{4} << 20;
  if (pickle.size() > kMaxSize) {
    fail("has " + std::to_string(pickle.size()) + " bytes, more than the supported " +
         std::to_string(kMaxSize));
  }
}

const PickleValue& Unpickler::load() {
  while (step(reader_.take_little_endian<std::uint8_t>())) {
  }
  return *pop();
}

void Unpickler::fail(const std::string& what) const {
  throw Error(source_ + ": its pickle " + what +
              "; expected a plain dict of tensors, as torch.save(model.state_dict(), ...) writes");
}

PickleValue* Unpickler::push(Kind kind) {
  PickleValue& value = values_.emplace_back();
  value.kind = kind;
  stack_.push_back(&value);
  return &value;
}

PickleValue* Unpickler::push_integer(Kind kind, std::int64_t value) {
  PickleValue* pushed = push(kind);
  pushed->integer = value;
  return pushed;
}

void Unpickler::push_text(std::size_t size) {
  const Bytes bytes = reader_.take(size);
  push(Kind::kString)->text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void Unpickler::push_tuple(std::size_t size) {
  std::vector<PickleValue*> items(size);
  while (size-- > 0) items[size] = pop();
  push(Kind::kTuple)->items = std::move(items);
}

void Unpickler::push_from_memo(std::uint32_t index) {
  if (index >= memo_.size()) fail("reads memo entry " + std::to_string(index) + ", which is unset");
  stack_.push_back(memo_[index]);
}

void Unpickler::set_memo(std::uint32_t index) {
  // Picklers number memo entries without gaps; a large index would only waste memory.
  if (index > memo_.size()) fail("skips memo entries up to " + std::to_string(index));
  if (stack_.empty()) fail("memoizes from an empty stack");
  if (index == memo_.size()) memo_.push_back(nullptr);
  memo_[index] = stack_.back();
}

PickleValue* Unpickler::pop() {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) fail("pops from an empty stack");
  PickleValue* value = stack_.back();
  stack_.pop_back();
  return value;
}

std::vector<PickleValue*> Unpickler::pop_to_mark() {
  if (marks_.empty()) fail("pops to a mark, but has set none");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleValue*> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

/// Appends to the container on top of the stack.
void Unpickler::append(Kind container, const std::vector<PickleValue*>& items) {
  if (stack_.empty() || stack_.back()->kind != container) fail("fills a value of the wrong type");
  stack_.back()->items.insert(stack_.back()->items.end(), items.begin(), items.end());
}

std::int64_t Unpickler::take_long() {
  const auto size = reader_.take_little_endian<std::uint8_t>();
  if (size > sizeof(std::int64_t)) fail("has an integer of " + std::to_string(size) + " bytes");
  const Bytes bytes = reader_.take(size);
  std::uint64_t bits = size > 0 && (bytes[size - 1U] & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = size; i-- > 0;) bits = (bits << 8) | bytes[i];
  return static_cast<std::int64_t>(bits);
}

/// Executes one opcode; false after the last one.
bool Unpickler::step(std::uint8_t opcode) {
  if (opcode == '.') return false;  // STOP
  if (!step_value(opcode) && !step_container(opcode) && !step_object(opcode)) {
    fail("has opcode " + std::to_string(opcode) + ", which no state dict needs");
  }
  return true;
}

/// Opcodes that push a value of a built-in type.
bool Unpickler::step_value(std::uint8_t opcode) {
  switch (opcode) {
    case 'N':  // NONE
      push(Kind::kNone);
      return true;
    case 0x88:  // NEWTRUE
    case 0x89:  // NEWFALSE
      push_integer(Kind::kBool, opcode == 0x88 ? 1 : 0);
      return true;
    case 'J':  // BININT
      push_integer(Kind::kInteger, reader_.take_little_endian<std::int32_t>());
      return true;
    case 'K':  // BININT1
      push_integer(Kind::kInteger, reader_.take_little_endian<std::uint8_t>());
      return true;
    case 'M':  // BININT2
      push_integer(Kind::kInteger, reader_.take_little_endian<std::uint16_t>());
      return true;
    case 0x8a:  // LONG1
      push_integer(Kind::kInteger, take_long());
      return true;
    case 'G':  // BINFLOAT
      push(Kind::kFloat)->number = reader_.take_big_endian<double>();
      return true;
    case 'X':  // BINUNICODE
      push_text(reader_.take_little_endian<std::uint32_t>());
      return true;
    case 0x8c:  // SHORT_BINUNICODE
      push_text(reader_.take_little_endian<std::uint8_t>());
      return true;
    default:
      return false;
  }
}

/// Opcodes that create or fill a container.
bool Unpickler::step_container(std::uint8_t opcode) {
  switch (opcode) {
    case '(':  // MARK
      marks_.push_back(stack_.size());
      return true;
    case ')':  // EMPTY_TUPLE
      push(Kind::kTuple);
      return true;
    case 0x85:  // TUPLE1
    case 0x86:  // TUPLE2
    case 0x87:  // TUPLE3
      push_tuple(opcode - 0x84U);
      return true;
    case 't':  // TUPLE
      push(Kind::kTuple)->items = pop_to_mark();
      return true;
    case ']':  // EMPTY_LIST
      push(Kind::kList);
      return true;
    case 'a':  // APPEND
      append(Kind::kList, {pop()});
      return true;
    case 'e':  // APPENDS
      append(Kind::kList, pop_to_mark());
      return true;
    case '}':  // EMPTY_DICT
      push(Kind::kDict);
      return true;
    case 's': {  // SETITEM
      PickleValue* value = pop();
      append(Kind::kDict, {pop(), value});
      return true;
    }
    case 'u': {  // SETITEMS
      const std::vector<PickleValue*> items = pop_to_mark();
      if (items.size() % 2 != 0) fail("has a key without a value");
      append(Kind::kDict, items);
      return true;
    }
    default:
      return false;
  }
}

/// Opcodes for the memo, globals and calls.
bool Unpickler::step_object(std::uint8_t opcode) {
  switch (opcode) {
    case 0x80: {  // PROTO
      const auto version = reader_.take_little_endian<std::uint8_t>();
      if (version < 2 || version > 5) fail("has protocol " + std::to_string(version) + ", not 2-5");
      return true;
    }
    case 0x95:  // FRAME
      reader_.take(8);
      return true;
    case 'q':  // BINPUT
      set_memo(reader_.take_little_endian<std::uint8_t>());
      return true;
    case 'r':  // LONG_BINPUT
      set_memo(reader_.take_little_endian<std::uint32_t>());
      return true;
    case 0x94:  // MEMOIZE
      set_memo(static_cast<std::uint32_t>(memo_.size()));
      return true;
    case 'h':  // BINGET
      push_from_memo(reader_.take_little_endian<std::uint8_t>());
      return true;
    case 'j':  // LONG_BINGET
      push_from_memo(reader_.take_little_endian<std::uint32_t>());
      return true;
    case 'c': {  // GLOBAL
      const std::string_view module = reader_.take_line();
      push_global(module, reader_.take_line());
      return true;
    }
    case 0x93: {  // STACK_GLOBAL
      const PickleValue* name = pop();
      push_global(pop()->text, name->text);
      return true;
    }
    case 'Q':  // BINPERSID
      push_storage(*pop());
      return true;
    case 'R': {  // REDUCE
      const PickleValue* arguments = pop();
      call(*pop(), *arguments);
      return true;
    }
    case 'b':  // BUILD
      pop();   // attributes of an OrderedDict, such as the _metadata of a state dict
      append(Kind::kDict, {});
      return true;
    default:
      return false;
  }
}

}  // namespace mnist
