// What mnist-export can write.
#pragma once

#include <array>
#include <string_view>

#include "mnist/support/enum_names.hpp"

namespace mnist {

/// See mnist-export --to.
enum class ExportFormat { kOnnx, kSafetensors, kC, kHtml };
template <>
struct EnumNames<ExportFormat> {
  static constexpr std::array<std::string_view, 4> kNames{"onnx", "safetensors", "c", "html"};
};

/// The type of exported weights.
enum class Precision { kF32, kInt8 };
template <>
struct EnumNames<Precision> {
  static constexpr std::array<std::string_view, 2> kNames{"f32", "int8"};
};

}  // namespace mnist
