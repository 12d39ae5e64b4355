// Random small networks for the properties of model files.
#pragma once

#include "mnist/serialize/model_file.hpp"
#include "properties.hpp"

namespace mnist {

inline Model any_model() {
  const auto width = rc::gen::inRange<std::int64_t>(1, 6);
  const MlpShape shape{*width,
                       *rc::gen::resize(3, rc::gen::container<std::vector<std::int64_t>>(width)),
                       *width, *rc::gen::element(Activation::kRelu, Activation::kTanh)};
  Model model{initial_parameters(shape, *rc::gen::arbitrary<std::uint64_t>()), {}, {}};
  for (std::int64_t i = 0; i < shape.classes; ++i) {
    model.class_names.push_back(*rc::gen::container<std::string>(rc::gen::inRange(' ', '\x7f')));
  }
  return model;
}

}  // namespace mnist
