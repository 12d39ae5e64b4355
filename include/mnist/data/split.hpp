// The two splits of a dataset.
#pragma once

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// The examples to train on, or those for the final test.
enum class Split { kTrain, kTest };
template <>
inline constexpr Names<2> kEnumNames<Split>{"train", "test"};

}  // namespace mnist
