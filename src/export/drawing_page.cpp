// Fills the template drawing_page.html with the weights.
#include <string_view>

#include <nlohmann/json.hpp>

#include "export/exporters.hpp"
#include "mnist/serialize/model_file.hpp"
#include "support/text.hpp"

namespace mnist {

extern const std::string_view kDrawingPage;  // drawing_page.html, embedded

std::string drawing_page(const Model& model) {
  nlohmann::ordered_json json{{"shape", to_string(model.mlp.shape())},
                              {"inputs", model.mlp.shape().inputs},
                              {"activation", name_of(model.mlp.activation)},
                              {"class_names", model.class_names}};
  for (const Linear& layer : model.mlp.layers) {
    json["layers"].push_back(
        {{"weights", base64(bytes_of(layer.weight))}, {"biases", base64(bytes_of(layer.bias))}});
  }
  return page_with_data(kDrawingPage, json_text(json));
}

}  // namespace mnist
