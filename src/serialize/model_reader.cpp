// Tells the formats of model files apart.
#include "mnist/serialize/model_file.hpp"
#include "mnist/support/error.hpp"
#include "serialize/model_info.hpp"
#include "serialize/pt_reader.hpp"
#include "serialize/safetensors.hpp"
#include "support/byte_reader.hpp"

namespace mnist {
namespace {

constexpr std::uint64_t kMaxModelBytes = std::uint64_t{1} << 32;

bool is_zip(Bytes file) {
  return file.size() >= 4 && file[0] == 'P' && file[1] == 'K' && file[2] == 3 && file[3] == 4;
}

/// The format of torch.save before PyTorch 1.6: a sequence of pickles that starts with a magic
/// long.
bool is_legacy_pickle(Bytes file) {
  return file.size() >= 2 && file[0] == 0x80 && file[1] <= 5;
}

}  // namespace

Model read_model(const std::string& path) {
  const std::vector<std::uint8_t> file = read_whole_file(path, kMaxModelBytes);
  if (is_legacy_pickle(file)) {
    throw Error(path + ": is a bare pickle or in torch.save's format of before PyTorch 1.6; " +
                "load it with a newer PyTorch and save it again");
  }
  StoredTensors stored = is_zip(file) ? read_pt(file, path) : read_safetensors(file, path);
  return make_model(std::move(stored.tensors), stored.info, path);
}

}  // namespace mnist
