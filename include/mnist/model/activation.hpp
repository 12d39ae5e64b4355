// The choices that define a network beside its widths.
#pragma once

#include <array>
#include <string_view>

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// The function applied after each hidden layer.
enum class Activation { kRelu, kTanh, kSigmoid, kIdentity };
template <>
struct EnumNames<Activation> {
  static constexpr std::array<std::string_view, 4> kNames{"relu", "tanh", "sigmoid", "identity"};
};

/// How weights and biases are initialised; see initial_parameters().
enum class Initialisation { kPytorch, kHe };
template <>
struct EnumNames<Initialisation> {
  static constexpr std::array<std::string_view, 2> kNames{"pytorch", "he"};
};

}  // namespace mnist
