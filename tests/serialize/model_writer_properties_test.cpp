// Random networks survive being written as .pt files.
#include "mnist/serialize/model_file.hpp"
#include "properties.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

PROPERTY(ModelWriterProperties, NetworksComeBack) {
  const auto width = rc::gen::inRange<std::int64_t>(1, 6);
  const MlpShape shape{*width,
                       *rc::gen::resize(3, rc::gen::container<std::vector<std::int64_t>>(width)),
                       *width, *rc::gen::element(Activation::kRelu, Activation::kTanh)};
  Model model{initial_parameters(shape, *rc::gen::arbitrary<std::uint64_t>()), {}, {}};
  for (std::int64_t i = 0; i < shape.classes; ++i) {
    model.class_names.push_back(*rc::gen::container<std::string>(rc::gen::inRange(' ', '\x7f')));
  }
  const TemporaryDirectory folder;
  const std::string path = folder / "model.pt";
  write_model(path, model);
  const Model read = read_model(path);
  RC_ASSERT(read.mlp == model.mlp);
  RC_ASSERT(read.class_names == model.class_names);
}

}  // namespace
}  // namespace mnist
