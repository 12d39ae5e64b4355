// Texts with places to fill in.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mnist {

/// `text` with each "{{name}}" replaced by the field of that name. A name without a field is a
/// mistake of ours: throws std::out_of_range.
std::string fill_template(std::string_view text,
                          const std::map<std::string_view, std::string>& fields);

}  // namespace mnist
