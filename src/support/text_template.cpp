// fill_template: one pass, so that fields may hold braces.
#include "support/text_template.hpp"

namespace mnist {

std::string fill_template(std::string_view text,
                          const std::map<std::string_view, std::string>& fields) {
  std::string filled;
  for (std::size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{")) {
    const std::size_t close = text.find("}}", open);
    filled += text.substr(0, open);
    filled += fields.at(text.substr(open + 2, close - open - 2));
    text.remove_prefix(close + 2);
  }
  filled += text;
  return filled;
}

}  // namespace mnist
