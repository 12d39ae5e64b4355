// The flags of mnist-train: one row per option, in the order of --help.
#pragma once

#include "mnist/options/train_options.hpp"
#include "options/shared_options.hpp"

namespace mnist {

/// The options of the groups up to "Training".
template <OptionsOf<TrainOptions> Self, class Visitor>
void for_each_training_option(Self& self, Visitor& visit) {
  const std::string group = "Start here";
  visit(self.data, data_option(group));
  const auto start = option_rows(visit, group, OptionScope::kLearning);
  start(self.hidden, "hidden", "N,N", "hidden layer widths; none for a linear model");
  start(self.epochs, "epochs", "N", "passes over the training set");
  start(self.batch, "batch", "N", "minibatch size; the last one of an epoch may be smaller");
  start(self.lr, "lr", "X", "learning rate, the peak of the schedule");
  start(self.seed, "seed", "N", "random seed");
  option_rows(visit, group, OptionScope::kOutcome)(
      self.out, "out", "FILE",
      "model file to write, .pt or .safetensors; default: model.pt, in --run-dir if given");
  option_rows(visit, group)(
      self.run_dir, "run-dir", "DIR",
      "directory for config, metrics, summary, checkpoints and TensorBoard events");

  const auto data = option_rows(visit, "Data", OptionScope::kLearning);
  data(self.limit, "limit", "N", "train on the first N examples; 0 uses all");
  data(self.validation, "validation", "N", "hold out N training examples (below 1: a fraction)");
  option_rows(visit, "Data", OptionScope::kOutcome)(self.no_test, "no-test", "",
                                                    "do not read or evaluate the test set");

  const auto model = option_rows(visit, "Model", OptionScope::kLearning);
  model(self.activation, "activation", "NAME",
        "hidden activation: relu, tanh, sigmoid or identity");
  model(self.init, "init", "NAME", "weight initialization: pytorch (uniform) or he (normal)");

  const auto training = option_rows(visit, "Training", OptionScope::kLearning);
  training(self.order, "order", "NAME", "order of examples: shuffled every epoch, or fixed");
  training(self.schedule, "schedule", "NAME",
           "learning rate schedule: constant, step, cosine or one-cycle");
  training(self.warmup, "warmup", "N", "epochs of warmup (below 1: a fraction of the run)");
  training(self.step_epochs, "step-epochs", "N", "epochs per step of --schedule step");
  training(self.step_factor, "step-factor", "X",
           "learning rate factor per step of --schedule step");
  training(self.optimizer, "optimizer", "NAME", "adam or adamw");
  training(self.weight_decay, "weight-decay", "X", "L2 penalty (adam) or decoupled decay (adamw)");
  training(self.clip_norm, "clip-norm", "X",
           "clip the gradient's L2 norm over all parameters; 0 is off");
  training(self.ema, "ema", "X", "decay of the moving average of the weights; 0 is off");
  training(self.patience, "patience", "N",
           "stop after N epochs without improvement, and keep the best by validation; 0 is off");
}

/// Calls visit(member, OptionInfo) for each option, in the order of --help.
template <OptionsOf<TrainOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  for_each_training_option(self, visit);

  const auto regularization = option_rows(visit, "Regularization", OptionScope::kLearning);
  regularization(self.label_smoothing, "label-smoothing", "X",
                 "fraction of the target spread over all classes");
  regularization(self.dropout, "dropout", "X,X",
                 "dropout probability: one for all hidden layers, or one each");
  regularization(self.input_dropout, "input-dropout", "X", "dropout probability of the pixels");

  const auto augmentation = option_rows(visit, "Augmentation", OptionScope::kLearning);
  auto& augment = self.augment;
  augmentation(augment.rotation, "rotation", "DEGREES", "maximum rotation in either direction");
  augmentation(augment.translation, "translation", "PIXELS", "maximum shift along each axis");
  augmentation(augment.scaling, "scaling", "X", "scale each axis by 1 - X to 1 + X");
  augmentation(augment.shear, "shear", "DEGREES", "maximum shear in either direction");
  augmentation(augment.elastic, "elastic", "PIXELS",
               "standard deviation of the elastic displacement");
  augmentation(augment.elastic_smoothness, "elastic-smoothness", "PIXELS",
               "standard deviation of the Gaussian that smooths it");
  augmentation(augment.flip, "flip", "X", "probability of a left-right flip");
  augmentation(augment.erasing, "erasing", "X", "probability of erasing a random rectangle");
  augmentation(augment.fade_augment, "fade-augment", "X",
               "fade out all of these except flips over the last fraction X of the epochs");

  visit(self.device, kDeviceOption);
  const auto hardware = option_rows(visit, "Hardware", OptionScope::kOutcome);
  hardware(self.engine, "engine", "NAME",
           "implementation of the training step: auto, torch or fused");
  hardware(
      self.cpu_target, "cpu-target", "NAME",
      "instruction set of the fused engine: sse4, avx2, avx-512 or auto (the CPU's best); the same "
      "one gives the same bytes on different CPUs");
  visit(self.threads, kThreadsOption);

  const auto output = option_rows(visit, "Output");
  output(self.json, "json", "", "print the summary of the run as a JSON object instead of text");
  output(self.profile, "profile", "",
         "print how long each phase of a step took (fused engine on a CPU)");
  output(self.checkpoint_every, "checkpoint-every", "N",
         "minibatches between extra checkpoints, or seconds, as in 30s");
  output(self.require_accuracy, "require-accuracy", "PERCENT",
         "exit with 3 if the test accuracy is lower");
  for_each_log_option(self.log, visit);
}

}  // namespace mnist
