// The flags of mnist-train: one row for each option.
#pragma once

#include "mnist/options/train_options.hpp"
#include "options/log_option_table.hpp"
#include "options/option_info.hpp"

namespace mnist {

/// Calls visit(member, OptionInfo) for each option, in the order in which help shows them.
/// `Self` is TrainOptions or const TrainOptions.
template <OptionsOf<TrainOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
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
  for_each_log_option(self.log, visit);
}

}  // namespace mnist
