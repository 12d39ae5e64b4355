// The globals and calls that the unpickler supports; they build dicts, storages and tensors.
#include <algorithm>
#include <array>

#include "serialize/unpickler.hpp"

namespace mnist {
namespace {

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";
constexpr std::string_view kStorageModule = "torch.";
constexpr std::array<std::string_view, 13> kGlobals{
    kOrderedDict,          kRebuildTensor,       kRebuildParameter,       "torch.FloatStorage",
    "torch.DoubleStorage", "torch.HalfStorage",  "torch.BFloat16Storage", "torch.LongStorage",
    "torch.IntStorage",    "torch.ShortStorage", "torch.CharStorage",     "torch.ByteStorage",
    "torch.BoolStorage"};

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
  const std::string full = std::string(module) + "." + std::string(name);
  const auto known = std::find(kGlobals.begin(), kGlobals.end(), full);
  if (known == kGlobals.end()) fail("references " + quoted(full));
  push(Kind::kFunction)->text = *known;
}

/// A persistent ID is how torch.save names a storage: ("storage", type, key, device, elements).
void Unpickler::push_storage(const PickleValue& id) {
  const auto& items = id.items;
  if (id.kind != Kind::kTuple || items.size() != 5 || items[0]->text != "storage" ||
      items[1]->kind != Kind::kFunction || !items[1]->text.ends_with("Storage") ||
      items[2]->kind != Kind::kString || items[4]->kind != Kind::kInteger) {
    fail("has a persistent ID that does not name a storage");
  }
  PickleValue* storage = push_integer(Kind::kStorage, items[4]->integer);
  storage->text = items[2]->text;
  storage->storage_type = items[1]->text.substr(kStorageModule.size());
}

std::vector<std::int64_t> Unpickler::integers_of(const PickleValue& tuple) const {
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
void Unpickler::push_tensor(const PickleValue& arguments) {
  const auto& items = arguments.items;
  if (items.size() < 4 || items[0]->kind != Kind::kStorage || items[1]->kind != Kind::kInteger) {
    fail("rebuilds a tensor from something other than a storage");
  }
  PickleValue* tensor = push(Kind::kTensor);
  tensor->items = {items[0]};
  tensor->offset = items[1]->integer;
  tensor->shape = integers_of(*items[2]);
  tensor->strides = integers_of(*items[3]);
}

void Unpickler::call(const PickleValue& function, const PickleValue& arguments) {
  if (arguments.kind != Kind::kTuple || function.kind != Kind::kFunction) {
    fail("calls something other than a function");
  }
  if (function.text == kOrderedDict && arguments.items.empty()) {
    push(Kind::kDict);
  } else if (function.text == kRebuildTensor) {
    push_tensor(arguments);
  } else if (function.text == kRebuildParameter && !arguments.items.empty() &&
             arguments.items[0]->kind == Kind::kTensor) {
    stack_.push_back(arguments.items[0]);
  } else {
    fail("calls " + quoted(function.text) + " with arguments that no state dict has");
  }
}

}  // namespace mnist
