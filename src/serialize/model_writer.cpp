// Writes model files; apart from the reader, because the writer of .pt files needs LibTorch.
#include "mnist/serialize/model_file.hpp"
#include "serialize/model_info.hpp"
#include "serialize/pt_writer.hpp"
#include "serialize/safetensors.hpp"
#include "support/atomic_file.hpp"

namespace mnist {

void write_model(const std::string& path, const Model& model) {
  const StateDict tensors = to_state_dict(model.mlp);
  const std::string info = info_text(model);
  write_file_atomically(path, path.ends_with(".safetensors") ? safetensors_bytes(tensors, info)
                                                             : pt_bytes(tensors, info));
}

}  // namespace mnist
