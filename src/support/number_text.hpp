// Numbers as text for users.
#pragma once

#include <cstdint>
#include <string>

namespace mnist {

/// 235146 as "235,146".
std::string with_thousands(std::int64_t number);

}  // namespace mnist
