// What a pickle may name and call: ordered dicts, storages and tensors, as torch.save writes them.
#include <algorithm>
#include <array>

#include "serialize/unpickler.hpp"

namespace mnist {
namespace {

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::array<std::string_view, 10> kStorageTypes{
    "FloatStorage", "DoubleStorage", "HalfStorage", "BFloat16Storage", "LongStorage",
    "IntStorage",   "ShortStorage",  "CharStorage", "ByteStorage",     "BoolStorage"};

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

}  // namespace mnist
