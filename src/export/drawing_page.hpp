// Exports a model as a web page to draw on.
#pragma once

#include <string>

#include "serialize/formats.hpp"

namespace mnist {

/// One self-contained HTML page: the user draws with a mouse or finger, and the network, which runs
/// in the page, classifies the drawing. `model` must take square images.
std::string drawing_page(const Model& model);

}  // namespace mnist
