// Writes model files: .pt, a plain state dict for torch.load, and .safetensors.
#include "serialize/model_writer.hpp"

#include "serialize/pt_writer.hpp"
#include "serialize/safetensors.hpp"
#include "support/atomic_file.hpp"

namespace mnist {

void save_model(const std::string& path, const Model& model) {
  const std::string info = info_text(model);
  write_file_atomically(path, path.ends_with(".safetensors")
                                  ? safetensors_bytes(model.parameters, info)
                                  : pt_bytes(model.parameters, info));
}

}  // namespace mnist
