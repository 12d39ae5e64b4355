// Exports a model as a C99 header without dependencies.
#pragma once

#include <string>

#include "export/export_format.hpp"
#include "serialize/formats.hpp"

namespace mnist {

/// The text of a header with the weights and a function
/// `int mnist_predict(const float pixels[MNIST_INPUTS], float probabilities[MNIST_CLASSES])` that
/// returns the most probable class. It includes nothing but math.h. int8 weights take a quarter of
/// the memory; sums are f32 either way.
std::string c_header_text(const Model& model, Precision precision);

}  // namespace mnist
