// Inserts the separators from the right.
#include "support/number_text.hpp"

#include <cstddef>
#include <iterator>

namespace mnist {

std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t i = std::ssize(digits) - 3; i > (number < 0 ? 1 : 0); i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

}  // namespace mnist
