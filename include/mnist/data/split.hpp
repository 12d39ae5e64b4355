// The two parts of a data set.
#pragma once

#include <array>
#include <string_view>

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// The examples to train on, or the ones held back for the test.
enum class Split { kTrain, kTest };
template <>
struct EnumNames<Split> {
  static constexpr std::array<std::string_view, 2> kNames{"train", "test"};
};

}  // namespace mnist
