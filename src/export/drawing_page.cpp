// Fills the template drawing_page.html with the weights.
#include <string_view>

#include <nlohmann/json.hpp>

#include "export/exporters.hpp"
#include "support/bytes.hpp"
#include "support/text.hpp"

namespace mnist {

extern const std::string_view kDrawingPage;  // drawing_page.html, embedded

namespace {

std::string base64_floats(const std::vector<float>& values) {
  const std::string raw = little_endian_bytes<float>(values);
  return base64({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()});
}

}  // namespace

std::string drawing_page(const Model& model) {
  nlohmann::ordered_json json{{"shape", to_string(model.mlp.shape())},
                              {"inputs", model.mlp.shape().inputs},
                              {"activation", name_of(model.mlp.activation)},
                              {"class_names", model.class_names}};
  for (const Linear& layer : model.mlp.layers) {
    json["layers"].push_back(
        {{"weights", base64_floats(layer.weight)}, {"biases", base64_floats(layer.bias)}});
  }
  return page_with_data(kDrawingPage, json_text(json));
}

}  // namespace mnist
