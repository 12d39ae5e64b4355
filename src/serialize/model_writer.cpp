// Writes model files; the .pt format needs LibTorch.
#include <memory>

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include "mnist/serialize/model_file.hpp"
#include "serialize/formats.hpp"
#include "support/files.hpp"

namespace mnist {
namespace {

using caffe2::serialize::PyTorchStreamWriter;

/// Writes an archive with `write_records`, and returns its bytes.
template <class Function>
std::vector<std::uint8_t> archive(const Function& write_records) {
  std::vector<std::uint8_t> bytes;
  auto writer = std::make_unique<PyTorchStreamWriter>([&](const void* data, std::size_t size) {
    const auto* begin = static_cast<const std::uint8_t*>(data);
    bytes.insert(bytes.end(), begin, begin + size);
    return size;
  });
  try {
    write_records(*writer);
    writer->writeEndOfFile();
  } catch (...) {
    // Out of memory. The destructor would write the end of the file, and its exception would abort
    // the program.
    static_cast<void>(writer.release());
    throw;
  }
  return bytes;
}

/// The bytes of a .pt file: a plain dict from names to f32 tensors, and `info` in a record of its
/// own. torch::save and torch::pickle_save would tag the dict with its static type, through a
/// global that Python's torch.load(path, weights_only=True) rejects; Pickler can leave the tag out.
std::vector<std::uint8_t> pt_bytes(const StateDict& tensors, const std::string& info) {
  c10::Dict<std::string, torch::Tensor> dict;
  for (const NamedTensor& tensor : tensors) {
    dict.insert(tensor.name,
                torch::tensor(at::ArrayRef<float>(tensor.values)).reshape(tensor.shape));
  }

  std::string pickle;
  torch::jit::Pickler pickler(
      [&](const char* data, std::size_t size) { pickle.append(data, size); }, nullptr, nullptr,
      nullptr, nullptr, /*tag_aggregates=*/false);
  pickler.protocol();
  pickler.pushIValue(dict);
  pickler.stop();

  return archive([&](PyTorchStreamWriter& writer) {
    writer.writeRecord("data.pkl", pickle.data(), pickle.size());
    const std::string byte_order = "little";
    writer.writeRecord("byteorder", byte_order.data(), byte_order.size());
    std::size_t key = 0;
    for (const torch::Tensor& tensor : pickler.tensorData()) {
      writer.writeRecord("data/" + std::to_string(key++), tensor.storage().data(),
                         tensor.storage().nbytes());
    }
    writer.writeRecord(kPtInfoRecord, info.data(), info.size());
  });
}

}  // namespace

void write_model(const std::string& path, const Model& model) {
  const StateDict tensors = to_state_dict(model.mlp);
  const std::string info = info_text(model);
  write_file_atomically(path, path.ends_with(".safetensors") ? safetensors_bytes(tensors, info)
                                                             : pt_bytes(tensors, info));
}

}  // namespace mnist
