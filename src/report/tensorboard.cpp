// Builds the protobuf messages of TensorBoard's summaries.
#include "report/tensorboard.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <span>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "imaging/image_file.hpp"
#include "options/option_text.hpp"
#include "options/train_option_table.hpp"
#include "report/results.hpp"
#include "serialize/state_dict.hpp"
#include "support/aligned.hpp"
#include "support/files.hpp"
#include "support/machine.hpp"

namespace mnist {
namespace {

double seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

/// TFRecord's checksum. Masked, because the CRC of data that contains its own CRC is degenerate.
std::uint32_t masked_crc(const std::string& data) {
  return std::rotr(crc32c(bytes_of(data)), 15) + 0xA282EAD8U;
}

// Field numbers are those of event.proto, summary.proto, tensor.proto, and the plugin_data.proto of
// TensorBoard's hparams.

ProtobufMessage scalar(const std::string& tag, double value) {
  return ProtobufMessage().add_bytes(1, tag).add_float(2, static_cast<float>(value));
}

/// A histogram of `values` with bins of equal width.
ProtobufMessage histogram(const std::string& tag, const std::vector<float>& values) {
  constexpr std::size_t kBins = 40;
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  const auto low = static_cast<double>(*min);
  const double width = std::max((static_cast<double>(*max) - low) / kBins, 1e-12);
  std::vector<double> counts(kBins);
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    const auto number = static_cast<double>(value);
    const auto bin = static_cast<std::size_t>((number - low) / width);
    ++counts[std::min(bin, kBins - 1)];
    sum += number;
    squares += number * number;
  }
  std::vector<double> limits;
  for (std::size_t bin = 1; bin <= kBins; ++bin) {
    limits.push_back(low + width * static_cast<double>(bin));
  }
  ProtobufMessage message;
  message.add_double(1, low).add_double(2, static_cast<double>(*max));
  message.add_double(3, static_cast<double>(values.size())).add_double(4, sum);
  message.add_double(5, squares).add_bytes(6, text_of(bytes_of(limits)));
  message.add_bytes(7, text_of(bytes_of(counts)));
  return ProtobufMessage().add_bytes(1, tag).add_message(5, message);
}

/// A grid of gray images of rows x columns pixels, separated by lines one pixel wide.
ProtobufMessage image_grid(const std::string& tag, std::span<const std::uint8_t> images,
                           std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kMaxAcross = 16;
  constexpr std::int64_t kChannels = 1;
  const std::int64_t count = std::ssize(images) / (rows * columns);
  const std::int64_t across = std::min(count, kMaxAcross);
  const std::int64_t height = divide_up(count, across) * (rows + 1);
  const std::int64_t width = across * (columns + 1);
  std::vector<std::uint8_t> grid(static_cast<std::size_t>(height * width));
  for (std::int64_t i = 0; i < std::ssize(images); ++i) {
    const std::int64_t index = i / (rows * columns);
    const std::int64_t row = i / columns % rows + index / across * (rows + 1);
    const std::int64_t column = i % columns + index % across * (columns + 1);
    grid[static_cast<std::size_t>(row * width + column)] = images[static_cast<std::size_t>(i)];
  }
  ProtobufMessage image;
  image.add_integer(1, height).add_integer(2, width).add_integer(3, kChannels);
  image.add_bytes(4, text_of(encode_png(grid, height, width, kChannels)));
  return ProtobufMessage().add_bytes(1, tag).add_message(4, image);
}

/// A value that the TensorBoard plugin `plugin` displays.
ProtobufMessage for_plugin(const std::string& tag, const std::string& plugin,
                           const std::string& content) {
  const auto data = ProtobufMessage().add_bytes(1, plugin).add_bytes(2, content);
  return ProtobufMessage().add_bytes(1, tag).add_message(9, ProtobufMessage().add_message(1, data));
}

/// Numbers stay numbers, so that the hparams page can plot and sort them.
ProtobufMessage session_start(const TrainOptions& options) {
  ProtobufMessage info;
  for_each_option(options, [&](const auto& value, const OptionInfo& option) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if (option.scope != OptionScope::kLearning) return;
    ProtobufMessage hparam;
    if constexpr (std::is_arithmetic_v<Value>) {
      hparam.add_double(2, static_cast<double>(value));
    } else {
      hparam.add_bytes(3, option_text(value));
    }
    info.add_message(1, ProtobufMessage().add_bytes(1, option.name).add_message(2, hparam));
  });
  return ProtobufMessage().add_message(3, info);
}

/// All options as a table in Markdown.
ProtobufMessage options_table(const RunInfo& info) {
  std::string table = "| option | value |\n|---|---|\n";
  for_each_option(info.options, [&](const auto& value, const OptionInfo& option) {
    table += fmt::format("| --{} | {} |\n", option.name, option_text(value));
  });
  table += fmt::format("\n{}, {}, {}\n", to_string(info.shape), info.engine, info.libtorch);
  constexpr std::int64_t kString = 7;  // DataType.DT_STRING
  const auto shape = ProtobufMessage().add_message(2, ProtobufMessage().add_integer(1, 1));
  ProtobufMessage tensor;
  tensor.add_integer(1, kString).add_message(2, shape).add_bytes(8, table);
  return for_plugin("options", "text", "").add_message(8, tensor);
}

}  // namespace

std::uint32_t crc32c(Bytes bytes) {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected
  std::uint32_t crc = ~0U;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc % 2 == 1 ? kPolynomial : 0);
  }
  return ~crc;
}

TensorBoardCallback::TensorBoardCallback(const std::string& directory, const Dataset& dataset,
                                         std::int64_t first_step)
    : path_(fmt::format("{}/events.out.tfevents.{:010}.{}.{}", directory,
                        static_cast<std::int64_t>(seconds_since_1970()), host_name(), ::getpid())),
      dataset_(dataset),
      last_step_(first_step) {
  constexpr std::int64_t kStart = 1;  // SessionLog.SessionStatus.START
  add_event(ProtobufMessage().add_bytes(3, "brain.Event:2"));
  const auto session = ProtobufMessage().add_integer(1, kStart);
  add_event(ProtobufMessage().add_integer(2, first_step + 1).add_message(7, session));
}

void TensorBoardCallback::add_event(ProtobufMessage event) {
  event.add_double(1, seconds_since_1970());
  const std::string& data = event.bytes();
  std::string record;
  append_little_endian(record, static_cast<std::uint64_t>(data.size()));
  append_little_endian(record, masked_crc(record));
  record += data;
  append_little_endian(record, masked_crc(data));
  append_to_file(path_, record);
}

void TensorBoardCallback::add_summary(std::int64_t step, const ProtobufMessage& summary) {
  add_event(ProtobufMessage().add_integer(2, step).add_message(5, summary));
}

void TensorBoardCallback::on_start(const RunInfo& info) {
  epochs_ = info.options.epochs;
  ProtobufMessage summary;
  summary.add_message(1, options_table(info));
  summary.add_message(1, for_plugin("_hparams_/session_start_info", "hparams",
                                    session_start(info.options).bytes()));
  add_summary(last_step_, summary);
}

void TensorBoardCallback::on_epoch(const EpochReport& report) {
  last_step_ = report.step;
  ProtobufMessage summary;
  summary.add_message(1, scalar("loss/train", report.training.loss));
  summary.add_message(1, scalar("accuracy/train", report.training.accuracy));
  if (report.validation) {
    summary.add_message(1, scalar("loss/validation", report.validation->loss));
    summary.add_message(1, scalar("accuracy/validation", report.validation->accuracy));
  }
  summary.add_message(1, scalar("learning_rate", report.learning_rate));
  summary.add_message(1, scalar("images_per_second", report.images_per_second));
  for (const auto& [name, norm] : report.gradient_norm) {
    summary.add_message(1, scalar("gradient_norm/" + name, norm));
  }
  for (const NamedTensor& tensor : to_state_dict(report.mlp)) {
    summary.add_message(1, histogram("parameters/" + tensor.name, tensor.values));
  }
  // Images only after epochs 1, 2, 4, ... and the last: they are large, and change less and less.
  if (std::has_single_bit(static_cast<std::uint64_t>(report.epoch)) || report.epoch == epochs_) {
    std::vector<std::uint8_t> pixels;  // gray is 0, brighter is positive, darker is negative
    for (const std::int8_t level : weight_levels(report.mlp.layers[0].weight)) {
      pixels.push_back(static_cast<std::uint8_t>(128 + level));
    }
    summary.add_message(1,
                        image_grid("first_layer_weights", pixels, dataset_.rows, dataset_.columns));
  }
  add_summary(report.step, summary);
}

void TensorBoardCallback::on_end(const RunResult& result) {
  constexpr std::int64_t kSuccess = 1;  // Status.STATUS_SUCCESS
  ProtobufMessage summary;
  if (result.test) {
    summary.add_message(1, scalar("loss/test", result.test->loss));
    summary.add_message(1, scalar("accuracy/test", result.test->accuracy()));
    const auto mistakes = result.test->most_confident_mistakes(kMaxMistakesShown);
    if (!mistakes.empty()) {
      const std::vector<std::int64_t> indices(mistakes.begin(), mistakes.end());
      const Dataset shown = select_examples(dataset_, indices);
      summary.add_message(
          1, image_grid("most_confident_mistakes", shown.images, shown.rows, shown.columns));
    }
  }
  const auto session_end =
      ProtobufMessage().add_message(4, ProtobufMessage().add_integer(1, kSuccess));
  summary.add_message(1, for_plugin("_hparams_/session_end_info", "hparams", session_end.bytes()));
  add_summary(last_step_, summary);
}

}  // namespace mnist
