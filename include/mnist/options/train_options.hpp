// Everything that a training run can be asked for: one struct, one table, one validation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mnist/options/augment_options.hpp"
#include "mnist/options/log_options.hpp"
#include "mnist/options/option_info.hpp"
#include "mnist/options/option_text.hpp"

namespace mnist {

/// Options of mnist-train. The defaults are the guide's: 784-256-128-10, Adam, 15 epochs of
/// minibatches of 32.
struct TrainOptions {
  static constexpr const char* kProgram = "mnist-train";
  static constexpr const char* kDescription =
      "Trains a multilayer perceptron on MNIST-shaped data.";

  std::string data = "data/mnist";
  std::int64_t limit = 0;
  double validation = 0;

  std::vector<std::int64_t> hidden{256, 128};
  Activation activation = Activation::kRelu;
  Initialisation init = Initialisation::kPytorch;

  std::int64_t epochs = 15;
  std::int64_t batch = 32;
  Order order = Order::kShuffled;
  double lr = 0.001;
  Schedule schedule = Schedule::kConstant;
  double warmup = 0;
  std::int64_t step_epochs = 5;
  double step_factor = 0.1;
  Optimizer optimizer = Optimizer::kAdam;
  double weight_decay = 0;
  double clip_norm = 0;
  double ema = 0;
  std::int64_t patience = 0;
  std::uint64_t seed = 0;

  double label_smoothing = 0;
  std::vector<double> dropout;
  double input_dropout = 0;
  AugmentOptions augment;

  std::string device = "auto";
  EngineKind engine = EngineKind::kAuto;
  std::int64_t threads = 0;

  std::string out = "model.pt";
  std::string run_dir;
  CheckpointInterval checkpoint_every;
  double require_accuracy = 0;
  LogOptions log;

  /// The checkpoint to go on from, or its folder. Not in the table: it says where a run begins, and
  /// is no part of what the run is.
  std::string resume;

  /// Calls visit(member, OptionInfo) for each option, in the order in which help shows them.
  /// `Self` is TrainOptions or const TrainOptions.
  template <class Self, class Visitor>
  static void for_each(Self& self, Visitor&& visit);

  /// Probability of dropping an activation of hidden layer `layer`, from 0: `dropout` has one for
  /// each layer, or one for all, or none.
  double hidden_dropout(std::size_t layer) const;
};

/// Throws UsageError that names the flag, what was found and what is allowed. Looks at the options
/// alone: neither at files nor at devices.
void validate(const TrainOptions& options);

/// `validation` in examples, for a training set of `examples`. Throws UsageError when nothing would
/// be left to train on.
std::int64_t validation_examples(const TrainOptions& options, std::int64_t examples);

/// Throws UsageError unless `device` is auto, cpu, cuda or cuda:N.
void validate_device(const std::string& device);

/// Throws UsageError unless 0 <= threads <= 1024.
void validate_threads(std::int64_t threads);

/// Throws UsageError unless 0 <= percent <= 100.
void validate_required_accuracy(double percent);

template <class Self, class Visitor>
void TrainOptions::for_each(Self& self, Visitor&& visit) {
  using enum OptionScope;
  const char* const data_group = "Data";
  visit(self.data, OptionInfo{"data", "DIR", "folder with the four IDX files, raw or gzip",
                              data_group, kPlace, "MNIST_DATA"});
  visit(self.limit, OptionInfo{"limit", "N", "train on the first N examples; 0 is all of them",
                               data_group, kLearning});
  visit(self.validation,
        OptionInfo{"validation", "N", "examples (or, below 1, the fraction) held out of the set",
                   data_group, kLearning});

  const char* const network_group = "Network";
  visit(self.hidden, OptionInfo{"hidden", "N,N", "widths of the hidden layers; none is linear",
                                network_group, kLearning});
  visit(self.activation,
        OptionInfo{"activation", "NAME", "after hidden layers: relu, tanh, sigmoid or identity",
                   network_group, kLearning});
  visit(self.init, OptionInfo{"init", "NAME", "how weights start: pytorch (uniform) or he (normal)",
                              network_group, kLearning});

  const char* const training_group = "Training";
  visit(self.epochs,
        OptionInfo{"epochs", "N", "passes over the training set", training_group, kLearning});
  visit(self.batch, OptionInfo{"batch", "N", "examples in a minibatch; the last may be shorter",
                               training_group, kLearning});
  visit(self.order, OptionInfo{"order", "NAME", "of the examples: shuffled in each epoch, or fixed",
                               training_group, kLearning});
  visit(self.lr, OptionInfo{"lr", "X", "learning rate, the highest of the schedule", training_group,
                            kLearning});
  visit(self.schedule,
        OptionInfo{"schedule", "NAME", "of the learning rate: constant, step, cosine or one-cycle",
                   training_group, kLearning});
  visit(self.warmup,
        OptionInfo{"warmup", "N", "epochs (or, below 1, part of the run) of rising learning rate",
                   training_group, kLearning});
  visit(self.step_epochs, OptionInfo{"step-epochs", "N", "epochs of a step of --schedule step",
                                     training_group, kLearning});
  visit(self.step_factor, OptionInfo{"step-factor", "X", "of the learning rate after each step",
                                     training_group, kLearning});
  visit(self.optimizer,
        OptionInfo{"optimizer", "NAME", "adam or adamw", training_group, kLearning});
  visit(self.weight_decay,
        OptionInfo{"weight-decay", "X", "L2 penalty (adam) or decoupled decay (adamw)",
                   training_group, kLearning});
  visit(self.clip_norm, OptionInfo{"clip-norm", "X",
                                   "longest gradient, as an L2 norm over all parameters; 0 is any",
                                   training_group, kLearning});
  visit(self.ema, OptionInfo{"ema", "X", "decay of the averaged weights to keep; 0 keeps the last",
                             training_group, kLearning});
  visit(self.patience,
        OptionInfo{"patience", "N", "stop after N epochs without better validation; keep the best",
                   training_group, kLearning});
  visit(self.seed,
        OptionInfo{"seed", "N", "seed of every random decision", training_group, kLearning});

  const char* const regularisation_group = "Regularisation";
  visit(self.label_smoothing,
        OptionInfo{"label-smoothing", "X", "part of the target spread over all classes",
                   regularisation_group, kLearning});
  visit(self.dropout,
        OptionInfo{"dropout", "X,X", "part of activations dropped: of all hidden layers, or each",
                   regularisation_group, kLearning});
  visit(self.input_dropout, OptionInfo{"input-dropout", "X", "part of the pixels dropped",
                                       regularisation_group, kLearning});

  const char* const augmentation_group = "Augmentation (anew in every epoch)";
  visit(self.augment.rotation, OptionInfo{"rotation", "DEGREES", "turn by up to this angle",
                                          augmentation_group, kLearning});
  visit(self.augment.translation,
        OptionInfo{"translation", "PIXELS", "move by up to this far, along each axis",
                   augmentation_group, kLearning});
  visit(self.augment.scaling, OptionInfo{"scaling", "X", "scale each axis by 1 - X to 1 + X",
                                         augmentation_group, kLearning});
  visit(self.augment.shear,
        OptionInfo{"shear", "DEGREES", "slant by up to this angle", augmentation_group, kLearning});
  visit(self.augment.elastic,
        OptionInfo{"elastic", "PIXELS", "standard deviation of a smooth random displacement",
                   augmentation_group, kLearning});
  visit(self.augment.elastic_smoothness,
        OptionInfo{"elastic-smoothness", "PIXELS", "standard deviation of the field's smoothing",
                   augmentation_group, kLearning});
  visit(self.augment.flip, OptionInfo{"flip", "X", "mirror this part of the images, left to right",
                                      augmentation_group, kLearning});
  visit(self.augment.erasing, OptionInfo{"erasing", "X", "blank a rectangle in this part of them",
                                         augmentation_group, kLearning});

  const char* const machine_group = "Machine";
  visit(self.device, OptionInfo{"device", "NAME", "auto, cpu, cuda or cuda:N", machine_group});
  visit(self.engine,
        OptionInfo{"engine", "NAME", "implementation of the step: auto, autograd or fused",
                   machine_group});
  visit(self.threads, OptionInfo{"threads", "N", "processor threads; 0 chooses", machine_group});

  const char* const output_group = "Output";
  visit(self.out,
        OptionInfo{"out", "FILE", "the model to write, .pt or .safetensors", output_group});
  visit(self.run_dir,
        OptionInfo{"run-dir", "DIR",
                   "folder for config.toml, metrics.jsonl, checkpoints and TensorBoard",
                   output_group});
  visit(self.checkpoint_every,
        OptionInfo{"checkpoint-every", "N",
                   "also write a checkpoint after N minibatches, or seconds as in 30s",
                   output_group});
  visit(self.require_accuracy,
        OptionInfo{"require-accuracy", "PERCENT", "exit with 3 when the test accuracy is lower",
                   output_group});
  LogOptions::for_each(self.log, visit);
}

}  // namespace mnist
