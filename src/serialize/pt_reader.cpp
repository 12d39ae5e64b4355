// Finds the state dict in a .pt archive and decodes its tensors.
#include <utility>

#include "mnist/support/error.hpp"
#include "serialize/formats.hpp"
#include "serialize/unpickler.hpp"
#include "serialize/zip_archive.hpp"

namespace mnist {
namespace {

using Kind = PickleValue::Kind;

std::string text_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

/// The directory that holds all records; the writer of the file chose its name.
std::string root_of(const ZipArchive& archive, const std::string& source) {
  constexpr std::string_view kPickle = "/data.pkl";
  for (const std::string& name : archive.names()) {
    if (name.ends_with(kPickle) && name.find('/') == name.size() - kPickle.size()) {
      return name.substr(0, name.find('/') + 1);
    }
  }
  throw Error(source + ": is a zip archive without data.pkl; expected a file by torch.save");
}

void check_archive(const ZipArchive& archive, const std::string& root, const std::string& source) {
  if (archive.contains(root + "constants.pkl")) {
    throw Error(source +
                ": is a TorchScript archive, not a state dict; save model.state_dict() with "
                "torch.save");
  }
  const std::string order = root + "byteorder";
  if (archive.contains(order) && text_of(archive.record(order)) != "little") {
    throw Error(source + ": is big-endian; save it on a little-endian machine");
  }
}

bool holds_tensors(const PickleValue& dict) {
  for (std::size_t i = 1; i < dict.items.size(); i += 2) {
    if (dict.items[i]->kind == Kind::kTensor) return true;
  }
  return false;
}

const PickleValue& find_state_dict(const PickleValue& root, const std::string& source) {
  if (root.kind == Kind::kDict) {
    if (holds_tensors(root)) return root;
    for (const char* key : {"model", "state_dict", "model_state_dict"}) {
      const PickleValue* nested = root.find(key);
      if (nested != nullptr && nested->kind == Kind::kDict && holds_tensors(*nested)) {
        return *nested;
      }
    }
  }
  throw Error(source +
              ": has no state dict; expected a dict of tensors, at the top level or under 'model', "
              "'state_dict' or 'model_state_dict'");
}

FloatType float_type(std::string_view storage_type, const std::string& what) {
  if (storage_type == "FloatStorage") return FloatType::kF32;
  if (storage_type == "DoubleStorage") return FloatType::kF64;
  if (storage_type == "HalfStorage") return FloatType::kF16;
  if (storage_type == "BFloat16Storage") return FloatType::kBf16;
  throw Error(what + ": is stored as " + std::string(storage_type) +
              "; expected FloatStorage, DoubleStorage, HalfStorage or BFloat16Storage");
}

std::vector<float> read_tensor(const ZipArchive& archive, const std::string& root,
                               const PickleValue& tensor, const std::string& what) {
  const PickleValue& storage = *tensor.items[0];
  const FloatType type = float_type(storage.storage_type, what);
  const Bytes record = archive.record(root + "data/" + std::string(storage.text));
  const std::size_t size = float_size(type);
  if (record.size() % size != 0 ||
      storage.integer != static_cast<std::int64_t>(record.size() / size)) {
    throw Error(what + ": its storage has " + std::to_string(record.size()) + " bytes; expected " +
                std::to_string(storage.integer) + " elements of " + std::to_string(size) +
                " bytes");
  }
  return decode_floats(record, type, tensor.offset, tensor.shape, tensor.strides, what);
}

}  // namespace

StoredTensors read_pt(Bytes file, const std::string& source) {
  const ZipArchive archive(file, source);
  const std::string root = root_of(archive, source);
  check_archive(archive, root, source);
  const Pickle pickle = unpickle(archive.record(root + "data.pkl"), source);
  const PickleValue& dict = find_state_dict(*pickle.root, source);

  StoredTensors stored;
  // Half precision doubles in size when decoded, and tensors may share a storage.
  std::size_t bytes_left = 4 * file.size();
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    const PickleValue& value = *dict.items[i + 1];
    if (key.kind != Kind::kString || value.kind != Kind::kTensor) {
      throw Error(source + ": its state dict has an entry other than a name and a tensor");
    }
    const std::string name(key.text);
    const std::string what = source + ": tensor '" + name + "'";
    std::vector<float> values = read_tensor(archive, root, value, what);
    const std::size_t bytes = values.size() * sizeof(float);
    if (bytes > bytes_left) throw Error(what + ": shares its storage with too many tensors");
    bytes_left -= bytes;
    stored.tensors.push_back({name, value.shape, std::move(values)});
  }
  if (archive.contains(root + kPtInfoRecord)) {
    stored.info = text_of(archive.record(root + kPtInfoRecord));
  }
  return stored;
}

}  // namespace mnist
