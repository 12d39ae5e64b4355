// Validation of the training options.
#include "mnist/options/train_options.hpp"

#include <cmath>

#include "options/shared_options.hpp"
#include "support/machine.hpp"

namespace mnist {
namespace {

// Far beyond what MNIST-shaped data needs; larger values are typos that would run out of memory.
constexpr std::int64_t kMaxBatch = 60'000;
constexpr std::int64_t kMaxWidth = 65'536;
constexpr std::int64_t kMaxHiddenLayers = 64;

template <class Number>
void require_at_least_0(Number value, const std::string& flag) {
  require(std::isfinite(value) && value >= 0, flag, "at least 0", option_text(value));
}

void require_fraction(double value, const std::string& flag) {
  require(value >= 0 && value < 1, flag, "from 0 to below 1", option_text(value));
}

void validate_learning_rate(const TrainOptions& options) {
  require(std::isfinite(options.lr) && options.lr > 0 && options.lr <= 100, "lr",
          "above 0 and at most 100", option_text(options.lr));
  require(options.warmup >= 0 && options.warmup < static_cast<double>(options.epochs), "warmup",
          "from 0 to below the " + option_text(options.epochs) + " epochs of the run",
          option_text(options.warmup));
  reject_if(options.schedule == Schedule::kOneCycle && options.warmup > 0,
            "--warmup cannot be combined with --schedule one-cycle, which has its own warmup");
  require_range(options.step_epochs, 1, 1'000'000, "step-epochs");
  require(options.step_factor > 0 && options.step_factor <= 1, "step-factor",
          "above 0 and at most 1", option_text(options.step_factor));
}

void validate_regularization(const TrainOptions& options) {
  require_fraction(options.label_smoothing, "label-smoothing");
  for (const double value : options.dropout) require_fraction(value, "dropout");
  const std::size_t layers = options.hidden.size();
  require(options.dropout.size() <= 1 || options.dropout.size() == layers, "dropout",
          "one probability, or one for each of the " + std::to_string(layers) + " hidden layers",
          option_text(options.dropout));
  require_fraction(options.input_dropout, "input-dropout");
  const AugmentOptions& augment = options.augment;
  require_range(augment.rotation, 0, 180, "rotation");
  require_range(augment.translation, 0, 1000, "translation");
  require_fraction(augment.scaling, "scaling");
  require(augment.shear >= 0 && augment.shear < 90, "shear", "from 0 to below 90",
          option_text(augment.shear));
  require_range(augment.elastic, 0, 1000, "elastic");
  require_range(augment.elastic_smoothness, 1, 1000, "elastic-smoothness");
  require_range(augment.flip, 0, 1, "flip");
  require_range(augment.erasing, 0, 1, "erasing");
  require_range(augment.fade_augment, 0, 1, "fade-augment");
}

}  // namespace

void validate(const TrainOptions& options) {
  require_name(options.data, "data", "directory");
  require_at_least_0(options.limit, "limit");
  const bool whole = options.validation == std::floor(options.validation);
  require(options.validation >= 0 && (options.validation < 1 || whole) && options.validation < 1e9,
          "validation", "a number of examples or a fraction below 1",
          option_text(options.validation));

  require(options.hidden.size() <= kMaxHiddenLayers, "hidden",
          "at most " + option_text(kMaxHiddenLayers) + " widths",
          option_text(static_cast<std::int64_t>(options.hidden.size())));
  for (const std::int64_t width : options.hidden) require_range(width, 1, kMaxWidth, "hidden");
  reject_if(options.hidden.empty() && options.activation != Activation::kRelu,
            "--activation " + option_text(options.activation) +
                " cannot be combined with --hidden none, which has no hidden layers");

  require_range(options.epochs, 1, 1'000'000, "epochs");
  require_range(options.batch, 1, kMaxBatch, "batch");
  validate_learning_rate(options);
  require_at_least_0(options.weight_decay, "weight-decay");
  require_at_least_0(options.clip_norm, "clip-norm");
  require_fraction(options.ema, "ema");
  require_at_least_0(options.patience, "patience");
  reject_if(options.patience > 0 && options.validation == 0,
            "--patience needs --validation: early stopping monitors held-out examples");
  validate_regularization(options);

  validate_device(options.device);
  require_range(options.threads, 0, kMaxThreads, "threads");
  const bool on_cpu = options.device == "auto" || options.device == "cpu";
  const bool fusible = fused_engines_support(options.activation);
  reject_if(
      options.cpu_target != "auto" && (!on_cpu || options.engine == EngineKind::kTorch || !fusible),
      "--cpu-target needs the fused engine on a CPU, which trains only relu; drop "
      "--cpu-target, or use --engine fused --device cpu --activation relu");
  reject_if(options.engine == EngineKind::kFused && !fusible,
            "--engine fused supports only --activation relu, found " +
                option_text(options.activation) + "; use --engine auto");

  const std::string out = options.model_path();
  require(out.ends_with(".pt") || out.ends_with(".safetensors"), "out",
          "a file name that ends in .pt or .safetensors", "'" + out + "'");
  require_range(options.require_accuracy, 0, 100, "require-accuracy");
  reject_if(options.no_test && options.require_accuracy > 0,
            "--no-test cannot be combined with --require-accuracy, which checks the "
            "test accuracy; drop one of them");
  const CheckpointInterval& every = options.checkpoint_every;
  require(every.steps >= 0 && every.seconds >= 0 && std::isfinite(every.seconds),
          "checkpoint-every", "at least 0", option_text(every));
  reject_if((every.steps > 0 || every.seconds > 0) && options.run_dir.empty(),
            "--checkpoint-every needs --run-dir, where checkpoints are written");
  reject_if(options.auto_resume && options.run_dir.empty(),
            "--auto-resume needs --run-dir, where the run is stored");
  validate(options.log);
}

std::string TrainOptions::model_path() const {
  if (!out.empty()) return out;
  return run_dir.empty() ? "model.pt" : run_dir + "/model.pt";
}

double TrainOptions::dropout_of(std::size_t layer) const {
  if (layer == 0) return input_dropout;
  if (dropout.empty()) return 0;
  return dropout.size() == 1 ? dropout[0] : dropout.at(layer - 1);
}

std::int64_t validation_examples(const TrainOptions& options, std::int64_t examples) {
  const double scale = options.validation < 1 ? static_cast<double>(examples) : 1;
  const auto count = static_cast<std::int64_t>(std::round(options.validation * scale));
  reject_if(count >= examples, "--validation " + option_text(options.validation) +
                                   " leaves none of " + option_text(examples) +
                                   " examples to train on; hold out fewer");
  reject_if(options.validation > 0 && count == 0,
            "--validation " + option_text(options.validation) + " of " + option_text(examples) +
                " examples is less than one; hold out more");
  return count;
}

}  // namespace mnist
