// Reads model files, .pt and .safetensors, without LibTorch.
#include "serialize/model_reader.hpp"

#include <utility>

#include "mnist/support/error.hpp"
#include "serialize/pt_reader.hpp"
#include "serialize/safetensors.hpp"
#include "support/byte_reader.hpp"

namespace mnist {
namespace {

constexpr std::uint64_t kLargestModelFile = std::uint64_t{1} << 32;

bool is_zip(Bytes file) {
  return file.size() >= 4 && file[0] == 'P' && file[1] == 'K' && file[2] == 3 && file[3] == 4;
}

/// The form of torch.save before PyTorch 1.6: one pickle after another, starting with a magic long.
bool is_legacy_pickle(Bytes file) {
  return file.size() >= 2 && file[0] == 0x80 && file[1] <= 5;
}

}  // namespace

Model load_model(const std::string& path) {
  const std::vector<std::uint8_t> file = read_whole_file(path, kLargestModelFile);
  if (is_legacy_pickle(file)) {
    throw Error(path + ": is in torch.save's old form from before PyTorch 1.6 or a bare pickle; " +
                "load and save it again with a newer PyTorch");
  }
  StoredTensors stored = is_zip(file) ? read_pt(file, path) : read_safetensors(file, path);
  return make_model(std::move(stored.tensors), stored.info, path);
}

}  // namespace mnist
