// Reads model files that torch.save, or this program, wrote.
#include "serialize/pt_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "mnist/support/error.hpp"
#include "serialize/float_decoding.hpp"
#include "serialize/unpickler.hpp"
#include "serialize/zip_archive.hpp"

namespace mnist {
namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view kPickle = "/data.pkl";
constexpr std::array<const char*, 3> kNestedKeys{"model", "state_dict", "model_state_dict"};

/// Everything in the archive lies in one folder, whose name the writer chose.
std::string root_of(const ZipArchive& archive, const std::string& source) {
  for (const std::string& name : archive.names()) {
    if (name.ends_with(kPickle) && name.find('/') == name.size() - kPickle.size()) {
      return name.substr(0, name.size() - kPickle.size() + 1);
    }
  }
  throw Error(source + ": is a zip archive, but not one that torch.save wrote: it has no data.pkl");
}

void check_archive(const ZipArchive& archive, const std::string& root, const std::string& source) {
  if (archive.contains(root + "constants.pkl")) {
    throw Error(source +
                ": is a TorchScript program, not a plain state dict; save "
                "model.state_dict() with torch.save");
  }
  const std::string order = root + "byteorder";
  if (!archive.contains(order)) return;
  const Bytes bytes = archive.record(order);
  if (std::string(bytes.begin(), bytes.end()) != "little") {
    throw Error(source + ": its numbers are big-endian; save it on a little-endian machine");
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
    for (const char* key : kNestedKeys) {
      const PickleValue* nested = root.find(key);
      if (nested != nullptr && nested->kind == Kind::kDict && holds_tensors(*nested))
        return *nested;
    }
  }
  throw Error(source +
              ": holds no state dict: neither a dict of tensors, nor one under 'model', "
              "'state_dict' or 'model_state_dict'");
}

FloatType float_type(std::string_view storage_type, const std::string& what) {
  if (storage_type == "FloatStorage") return FloatType::kF32;
  if (storage_type == "DoubleStorage") return FloatType::kF64;
  if (storage_type == "HalfStorage") return FloatType::kF16;
  if (storage_type == "BFloat16Storage") return FloatType::kBf16;
  throw Error(what + ": is stored as " + std::string(storage_type) +
              ", expected FloatStorage, DoubleStorage, HalfStorage or BFloat16Storage");
}

/// Decodes tensors and keeps count of the memory that they take.
class TensorDecoder {
 public:
  TensorDecoder(const ZipArchive& archive, std::string root, std::size_t file_size,
                std::string source)
      : archive_(archive),
        root_(std::move(root)),
        source_(std::move(source)),
        // Half-precision numbers double when they become f32, and shared ones may count twice.
        bytes_left_(4 * file_size) {}

  NamedTensor decode(std::string_view name, const PickleValue& tensor) {
    const std::string what = source_ + ": tensor '" + std::string(name) + "'";
    const PickleValue& storage = *tensor.items[0];
    const FloatType type = float_type(storage.storage_type, what);
    const Bytes record = archive_.record(root_ + "data/" + std::string(storage.text));
    const std::size_t elements = record.size() / float_size(type);
    if (storage.integer < 0 || static_cast<std::size_t>(storage.integer) != elements ||
        record.size() % float_size(type) != 0) {
      throw Error(what + ": its storage should have " + std::to_string(storage.integer) +
                  " numbers, but has " + std::to_string(record.size()) + " bytes");
    }
    const std::int64_t count =
        checked_element_count(tensor.shape, static_cast<std::int64_t>(elements), what);
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
    if (bytes > bytes_left_) throw Error(what + ": shares its numbers with too many others");
    bytes_left_ -= bytes;
    return {std::string(name), tensor.shape,
            decode_floats(record, type, tensor.offset, tensor.shape, tensor.strides, what)};
  }

 private:
  const ZipArchive& archive_;
  std::string root_;
  std::string source_;
  std::size_t bytes_left_;
};

}  // namespace

StoredTensors read_pt(Bytes file, const std::string& source) {
  const ZipArchive archive(file, source);
  const std::string root = root_of(archive, source);
  check_archive(archive, root, source);
  Unpickler unpickler(archive.record(root + "data.pkl"), source);
  const PickleValue& dict = find_state_dict(unpickler.load(), source);

  StoredTensors stored;
  TensorDecoder decoder(archive, root, file.size(), source);
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    const PickleValue& value = *dict.items[i + 1];
    if (key.kind != Kind::kString || value.kind != Kind::kTensor) {
      throw Error(source + ": its state dict maps something else than names to tensors");
    }
    stored.tensors.push_back(decoder.decode(key.text, value));
  }
  if (archive.contains(root + kPtInfoRecord)) {
    const Bytes info = archive.record(root + kPtInfoRecord);
    stored.info.assign(info.begin(), info.end());
  }
  return stored;
}

}  // namespace mnist
