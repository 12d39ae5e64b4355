// The flags of mnist-train: one row per option.
#pragma once

#include "mnist/options/train_options.hpp"
#include "options/shared_options.hpp"

namespace mnist {

/// Calls visit(member, OptionInfo) for each option, in the order of --help.
template <OptionsOf<TrainOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  OptionScope scope = OptionScope::kLearning;
  const char* group = "Data";
  const auto row = [&](auto& value, const char* name, const char* value_name, const char* help) {
    visit(value, OptionInfo{name, value_name, help, group, scope});
  };
  visit(self.data, data_option(group));
  row(self.limit, "limit", "N", "train on the first N examples; 0 uses all");
  row(self.validation, "validation", "N", "hold out N training examples (below 1: a fraction)");

  group = "Model";
  row(self.hidden, "hidden", "N,N", "hidden layer widths; none for a linear model");
  row(self.activation, "activation", "NAME", "hidden activation: relu, tanh, sigmoid or identity");
  row(self.init, "init", "NAME", "weight initialization: pytorch (uniform) or he (normal)");

  group = "Training";
  row(self.epochs, "epochs", "N", "passes over the training set");
  row(self.batch, "batch", "N", "minibatch size; an epoch's last may be smaller");
  row(self.order, "order", "NAME", "order of examples: shuffled every epoch, or fixed");
  row(self.lr, "lr", "X", "learning rate, the peak of the schedule");
  row(self.schedule, "schedule", "NAME",
      "learning rate schedule: constant, step, cosine or one-cycle");
  row(self.warmup, "warmup", "N", "epochs of warmup (below 1: a fraction of the run)");
  row(self.step_epochs, "step-epochs", "N", "epochs per step of --schedule step");
  row(self.step_factor, "step-factor", "X", "learning rate factor per step of --schedule step");
  row(self.optimizer, "optimizer", "NAME", "adam or adamw");
  row(self.weight_decay, "weight-decay", "X", "L2 penalty (adam) or decoupled decay (adamw)");
  row(self.clip_norm, "clip-norm", "X",
      "clip the gradient's L2 norm over all parameters; 0 is off");
  row(self.ema, "ema", "X", "decay of the weights' moving average; 0 is off");
  row(self.patience, "patience", "N",
      "stop after N epochs without better validation; keep the best");
  row(self.seed, "seed", "N", "random seed");

  group = "Regularization";
  row(self.label_smoothing, "label-smoothing", "X",
      "fraction of the target spread over all classes");
  row(self.dropout, "dropout", "X,X",
      "dropout probability: one for all hidden layers, or one each");
  row(self.input_dropout, "input-dropout", "X", "dropout probability of the pixels");

  group = "Augmentation";
  auto& augment = self.augment;
  row(augment.rotation, "rotation", "DEGREES", "largest rotation, either way");
  row(augment.translation, "translation", "PIXELS", "largest shift along each axis");
  row(augment.scaling, "scaling", "X", "scale each axis by 1 - X to 1 + X");
  row(augment.shear, "shear", "DEGREES", "largest shear, either way");
  row(augment.elastic, "elastic", "PIXELS", "standard deviation of the elastic displacement");
  row(augment.elastic_smoothness, "elastic-smoothness", "PIXELS",
      "standard deviation of the Gaussian that smooths it");
  row(augment.flip, "flip", "X", "probability of a left-right flip");
  row(augment.erasing, "erasing", "X", "probability of erasing a random rectangle");

  scope = OptionScope::kRuntime;
  group = "Hardware";
  visit(self.device, kDeviceOption);
  row(self.engine, "engine", "NAME", "implementation of the training step: auto, torch or fused");
  visit(self.threads, kThreadsOption);

  group = "Output";
  row(self.out, "out", "FILE", "model file to write, .pt or .safetensors");
  row(self.run_dir, "run-dir", "DIR",
      "directory for config, metrics, checkpoints and TensorBoard events");
  row(self.checkpoint_every, "checkpoint-every", "N",
      "minibatches, or seconds as in 30s, between extra checkpoints");
  row(self.require_accuracy, "require-accuracy", "PERCENT",
      "exit with 3 if the test accuracy is lower");
  for_each_log_option(self.log, visit);
}

}  // namespace mnist
