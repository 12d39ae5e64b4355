// The two splits of a dataset.
#pragma once

#include <array>
#include <string_view>

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// The examples to train on, or those for the final test.
enum class Split { kTrain, kTest };
template <>
struct EnumNames<Split> {
  static constexpr std::array<std::string_view, 2> kNames{"train", "test"};
};

}  // namespace mnist
