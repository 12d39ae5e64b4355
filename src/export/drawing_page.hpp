// A model as a web page to draw on.
#pragma once

#include <string>

#include "serialize/model_info.hpp"

namespace mnist {

/// One self-contained HTML page: a person draws with mouse or finger, and sees what the network,
/// which runs in the page, makes of it. `model` must take square images.
std::string drawing_page(const Model& model);

}  // namespace mnist
