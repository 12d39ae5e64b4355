// Text templates with named fields.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mnist {

/// `text` with each "{{name}}" replaced by the field of that name. Throws std::out_of_range for a
/// name without a field, which is a bug in the template.
std::string fill_template(std::string_view text,
                          const std::map<std::string_view, std::string>& fields);

}  // namespace mnist
