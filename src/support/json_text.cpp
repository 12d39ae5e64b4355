// json_text with nlohmann/json.
#include "support/json_text.hpp"

#include <nlohmann/json.hpp>

namespace mnist {

std::string json_text(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace mnist
