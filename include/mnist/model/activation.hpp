// The choices, other than its widths, that define a network.
#pragma once

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// The function applied after each hidden layer.
enum class Activation { kRelu, kTanh, kSigmoid, kIdentity };
template <>
inline constexpr Names<4> kEnumNames<Activation>{"relu", "tanh", "sigmoid", "identity"};

/// How weights and biases are initialized; see initial_parameters().
enum class Initialization { kPytorch, kHe };
template <>
inline constexpr Names<2> kEnumNames<Initialization>{"pytorch", "he"};

}  // namespace mnist
