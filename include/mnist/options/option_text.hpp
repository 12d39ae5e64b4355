// Options as text: one parser and one printer a type, used by flags, TOML and JSON alike.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mnist {

/// Activation between linear layers.
enum class Activation { kRelu, kTanh, kSigmoid, kIdentity };
/// How weights start; biases follow.
enum class Initialisation { kPytorch, kHe };
/// In which order an epoch sees the training examples.
enum class Order { kShuffled, kFixed };
/// First-order optimiser.
enum class Optimizer { kAdam, kAdamW };
/// How the learning rate goes over the run.
enum class Schedule { kConstant, kStep, kCosine, kOneCycle };
/// Which implementation of the optimisation step trains.
enum class EngineKind { kAuto, kAutograd, kFused };
/// Which of a data set's two parts.
enum class Split { kTrain, kTest };
/// When messages have colours: auto is on a terminal that knows them.
enum class ColorMode { kAuto, kAlways, kNever };
/// How a person's image becomes one of the kind that the network was trained on.
enum class Preparation { kDigit, kGarment, kNone };
/// What a model can be written as.
enum class ExportFormat { kOnnx, kSafetensors, kC, kHtml };
/// The type of exported weights.
enum class Precision { kF32, kInt8 };

/// How often a checkpoint is written besides the end of each epoch; both 0: not at all.
struct CheckpointInterval {
  std::int64_t steps = 0;
  double seconds = 0;
};

/// The spelling of an enumeration's values, in their order; specialised for each.
template <class Enum>
struct EnumNames;
template <>
struct EnumNames<Activation> {
  static constexpr std::array<std::string_view, 4> kNames{"relu", "tanh", "sigmoid", "identity"};
};
template <>
struct EnumNames<Initialisation> {
  static constexpr std::array<std::string_view, 2> kNames{"pytorch", "he"};
};
template <>
struct EnumNames<Schedule> {
  static constexpr std::array<std::string_view, 4> kNames{"constant", "step", "cosine",
                                                          "one-cycle"};
};
template <>
struct EnumNames<Order> {
  static constexpr std::array<std::string_view, 2> kNames{"shuffled", "fixed"};
};
template <>
struct EnumNames<Optimizer> {
  static constexpr std::array<std::string_view, 2> kNames{"adam", "adamw"};
};
template <>
struct EnumNames<EngineKind> {
  static constexpr std::array<std::string_view, 3> kNames{"auto", "autograd", "fused"};
};
template <>
struct EnumNames<Split> {
  static constexpr std::array<std::string_view, 2> kNames{"train", "test"};
};
template <>
struct EnumNames<ColorMode> {
  static constexpr std::array<std::string_view, 3> kNames{"auto", "always", "never"};
};
template <>
struct EnumNames<Preparation> {
  static constexpr std::array<std::string_view, 3> kNames{"digit", "garment", "none"};
};
template <>
struct EnumNames<ExportFormat> {
  static constexpr std::array<std::string_view, 4> kNames{"onnx", "safetensors", "c", "html"};
};
template <>
struct EnumNames<Precision> {
  static constexpr std::array<std::string_view, 2> kNames{"f32", "int8"};
};

/// The name of an enumeration's value.
template <class Enum>
std::string_view name_of(Enum value) {
  return EnumNames<Enum>::kNames.at(static_cast<std::size_t>(value));
}

/// Reads `text` into `value`. Throws UsageError "expected ..., found ..." when it is not of the
/// type's form; numbers are read the same way in every locale.
void parse_option(std::string_view text, std::string& value);
void parse_option(std::string_view text, bool& value);
void parse_option(std::string_view text, std::int64_t& value);
void parse_option(std::string_view text, std::uint64_t& value);
void parse_option(std::string_view text, double& value);
/// Whole numbers with commas between them, "256,128", or "none" for an empty list.
void parse_option(std::string_view text, std::vector<std::int64_t>& value);
/// The same with numbers, "0.1,0.25".
void parse_option(std::string_view text, std::vector<double>& value);
/// A number of minibatches, "500", or of seconds, "30s".
void parse_option(std::string_view text, CheckpointInterval& value);

/// The text that parse_option reads back to the same value.
std::string option_text(const std::string& value);
std::string option_text(bool value);
std::string option_text(std::int64_t value);
std::string option_text(std::uint64_t value);
std::string option_text(double value);
std::string option_text(const std::vector<std::int64_t>& value);
std::string option_text(const std::vector<double>& value);
std::string option_text(const CheckpointInterval& value);

/// For messages: index of `text` among `names`, or UsageError with the names allowed.
std::size_t find_name(std::string_view text, const std::string_view* names, std::size_t count);

template <class Enum>
  requires std::is_enum_v<Enum>
void parse_option(std::string_view text, Enum& value) {
  const auto& names = EnumNames<Enum>::kNames;
  value = static_cast<Enum>(find_name(text, names.data(), names.size()));
}

template <class Enum>
  requires std::is_enum_v<Enum>
std::string option_text(Enum value) {
  return std::string(name_of(value));
}

}  // namespace mnist
