// Everything that a training run can be asked for: one struct, one table, one validation.
#include "mnist/options/train_options.hpp"

#include <algorithm>
#include <cmath>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

// MNIST-shaped data never have more examples than this, and no network here is this wide; larger
// numbers are slips of the hand that would end in an allocation failure.
constexpr std::int64_t kLargestBatch = 60'000;
constexpr std::int64_t kLargestWidth = 65'536;
constexpr std::int64_t kMostHiddenLayers = 64;
constexpr std::int64_t kMostThreads = 1024;

void require(bool allowed, const std::string& flag, const std::string& rule,
             const std::string& found) {
  if (!allowed) throw UsageError("--" + flag + " must be " + rule + ", found " + found);
}

template <class Number>
void require_range(Number value, Number low, Number high, const std::string& flag) {
  require(value >= low && value <= high, flag,
          "from " + option_text(low) + " to " + option_text(high), option_text(value));
}

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.ends_with(suffix);
}

}  // namespace

void validate_device(const std::string& device) {
  const std::string cuda = "cuda:";
  const bool numbered = device.starts_with(cuda) && device.size() > cuda.size() &&
                        device.size() <= cuda.size() + 3 &&
                        std::all_of(device.begin() + static_cast<std::ptrdiff_t>(cuda.size()),
                                    device.end(), [](char c) { return c >= '0' && c <= '9'; });
  require(device == "auto" || device == "cpu" || device == "cuda" || numbered, "device",
          "auto, cpu, cuda or cuda:N", "'" + device + "'");
}

void validate_threads(std::int64_t threads) {
  require_range<std::int64_t>(threads, 0, kMostThreads, "threads");
}

void validate_required_accuracy(double percent) {
  require_range<double>(percent, 0, 100, "require-accuracy");
}

void validate(const TrainOptions& options) {
  require(!options.data.empty(), "data", "the name of a folder", "nothing");
  require(options.limit >= 0, "limit", "at least 0", option_text(options.limit));
  const bool whole = options.validation == std::floor(options.validation);
  require(options.validation >= 0 && (options.validation < 1 || whole) && options.validation < 1e9,
          "validation", "a number of examples or a fraction below 1",
          option_text(options.validation));

  require(options.hidden.size() <= kMostHiddenLayers, "hidden",
          "at most " + option_text(kMostHiddenLayers) + " widths",
          option_text(static_cast<std::int64_t>(options.hidden.size())));
  for (const std::int64_t width : options.hidden) {
    require_range<std::int64_t>(width, 1, kLargestWidth, "hidden");
  }
  if (options.hidden.empty() && options.activation != Activation::kRelu) {
    throw UsageError("--activation " + option_text(options.activation) +
                     " contradicts --hidden none: there is no hidden layer to follow");
  }

  require_range<std::int64_t>(options.epochs, 1, 1'000'000, "epochs");
  require_range<std::int64_t>(options.batch, 1, kLargestBatch, "batch");
  require(std::isfinite(options.lr) && options.lr > 0 && options.lr <= 100, "lr",
          "above 0 and at most 100", option_text(options.lr));
  require(std::isfinite(options.weight_decay) && options.weight_decay >= 0, "weight-decay",
          "a number from 0", option_text(options.weight_decay));

  require(options.label_smoothing >= 0 && options.label_smoothing < 1, "label-smoothing",
          "from 0 to below 1", option_text(options.label_smoothing));

  validate_device(options.device);
  validate_threads(options.threads);
  if (options.engine == EngineKind::kFused) {
    if (options.activation != Activation::kRelu) {
      throw UsageError("--engine fused contradicts --activation " +
                       option_text(options.activation) + ": it knows only relu");
    }
    if (options.device.starts_with("cuda")) {
      throw UsageError("--engine fused contradicts --device " + options.device +
                       ": it runs on the cpu");
    }
  }

  require(ends_with(options.out, ".pt") || ends_with(options.out, ".safetensors"), "out",
          "a file name that ends in .pt or .safetensors", "'" + options.out + "'");
  validate_required_accuracy(options.require_accuracy);
}

std::int64_t validation_examples(const TrainOptions& options, std::int64_t examples) {
  const double wanted = options.validation < 1
                            ? std::round(options.validation * static_cast<double>(examples))
                            : options.validation;
  const auto count = static_cast<std::int64_t>(wanted);
  if (count >= examples) {
    throw UsageError("--validation " + option_text(options.validation) + " leaves nothing of " +
                     option_text(examples) + " examples to train on");
  }
  if (options.validation > 0 && count == 0) {
    throw UsageError("--validation " + option_text(options.validation) + " of " +
                     option_text(examples) + " examples is less than one example");
  }
  return count;
}

}  // namespace mnist
