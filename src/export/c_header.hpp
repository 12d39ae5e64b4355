// A model as one C header without dependencies.
#pragma once

#include <string>

#include "export/export_format.hpp"
#include "serialize/model_info.hpp"

namespace mnist {

/// The text of a C99 header with the weights and a function
/// `int mnist_predict(const float pixels[MNIST_INPUTS], float probabilities[MNIST_CLASSES])` that
/// returns the most probable class. With int8 the weights take a quarter of the memory; sums stay
/// f32. Needs the standard library's math.h alone.
std::string c_header_text(const Model& model, Precision precision);

}  // namespace mnist
