// Random networks survive being written as .pt files.
#include "serialize/any_model.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

PROPERTY(ModelWriterProperties, NetworksComeBack) {
  const Model model = any_model();
  const TemporaryDirectory folder;
  const std::string path = folder / "model.pt";
  write_model(path, model);
  const Model read = read_model(path);
  RC_ASSERT(read.mlp == model.mlp);
  RC_ASSERT(read.class_names == model.class_names);
}

}  // namespace
}  // namespace mnist
