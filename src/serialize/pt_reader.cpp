// Finds the state dict in a .pt archive and decodes its tensors.
#include <utility>

#include "mnist/support/error.hpp"
#include "serialize/formats.hpp"
#include "serialize/unpickler.hpp"
#include "serialize/zip_archive.hpp"

namespace mnist {
namespace {

using Kind = PickleValue::Kind;

/// The records of the archive's one directory, whose name the writer of the file chose.
class Archive {
 public:
  explicit Archive(Bytes file) : records_(read_zip(file)) {
    for (const auto& [name, content] : records_) {
      directory_ = name.substr(0, name.find('/') + 1);  // empty without a slash
      if (!directory_.empty() && contains("data.pkl")) return;
    }
    throw Error("is a zip archive without data.pkl; expected a file written by torch.save");
  }

  bool contains(const std::string& name) const { return records_.contains(directory_ + name); }

  Bytes record(const std::string& name) const {
    const auto found = records_.find(directory_ + name);
    if (found == records_.end()) throw Error("has no record '" + directory_ + name + "'");
    return found->second;
  }

 private:
  ZipRecords records_;
  std::string directory_;
};

void check_kind(const Archive& archive) {
  if (archive.contains("constants.pkl")) {
    throw Error(
        "is a TorchScript archive, not a state dict; save model.state_dict() with torch.save");
  }
  if (archive.contains("byteorder") && text_of(archive.record("byteorder")) != "little") {
    throw Error("is big-endian; save it on a little-endian machine");
  }
}

bool holds_tensors(const PickleValue& value) {
  if (value.kind != Kind::kDict) return false;
  for (std::size_t i = 1; i < value.items.size(); i += 2) {
    if (value.items[i]->kind == Kind::kTensor) return true;
  }
  return false;
}

const PickleValue& find_state_dict(const PickleValue& root) {
  if (holds_tensors(root)) return root;
  for (const char* key : {"model", "state_dict", "model_state_dict"}) {
    const PickleValue* nested = root.find(key);
    if (nested != nullptr && holds_tensors(*nested)) return *nested;
  }
  throw Error(
      "has no state dict; expected a dict of tensors, at the top level or under 'model', "
      "'state_dict' or 'model_state_dict'");
}

std::vector<float> read_tensor(const Archive& archive, const PickleValue& tensor) {
  const PickleValue& storage = *tensor.items[0];
  const FloatType type = float_type(
      storage.storage_type,
      {"torch.FloatStorage", "torch.DoubleStorage", "torch.HalfStorage", "torch.BFloat16Storage"});
  const Bytes record = archive.record("data/" + std::string(storage.text));
  const std::size_t size = float_size(type);
  if (record.size() % size != 0 ||
      storage.integer != static_cast<std::int64_t>(record.size() / size)) {
    throw Error("its storage has " + std::to_string(record.size()) + " bytes; expected " +
                std::to_string(storage.integer) + " elements of " + std::to_string(size) +
                " bytes");
  }
  return decode_floats(record, type, tensor.offset, tensor.shape, tensor.strides);
}

}  // namespace

StoredTensors read_pt(Bytes file) {
  const Archive archive(file);
  check_kind(archive);
  const Pickle pickle = unpickle(archive.record("data.pkl"));
  const PickleValue& dict = find_state_dict(*pickle.root);

  StoredTensors stored;
  // Half precision doubles in size when decoded, and tensors may share a storage.
  std::size_t bytes_left = 4 * file.size();
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    const PickleValue& value = *dict.items[i + 1];
    if (key.kind != Kind::kString || value.kind != Kind::kTensor) {
      throw Error("its state dict has an entry that is not a named tensor");
    }
    const std::string name(key.text);
    with_source("tensor '" + name + "'", [&] {
      std::vector<float> values = read_tensor(archive, value);
      const std::size_t bytes = bytes_of(values).size();
      if (bytes > bytes_left) throw Error("shares its storage with too many tensors");
      bytes_left -= bytes;
      stored.tensors.push_back({name, value.shape, std::move(values)});
    });
  }
  if (archive.contains(kPtInfoRecord)) stored.info = text_of(archive.record(kPtInfoRecord));
  return stored;
}

}  // namespace mnist
