"""PyTorch repeats 50 steps of mnist-train from its first checkpoint and gets the same parameters.

The reference is plain PyTorch in double precision. Everything goes through the command line: the options, the
schedule of learning rates, the order of the examples and the checkpoint with the initial parameters.
"""

import sys
import unittest

import programs
from programs import SUBSET, ProgramTest, read_split, torch_mlp

try:
    import torch
    from torch import nn
    from torch.optim import Adam, AdamW
    from torch.optim import lr_scheduler as schedules
except ImportError:
    print("needs the Python package torch: skipped")
    sys.exit(77)

torch.set_num_threads(1)  # the network is too small for more
BATCH, EPOCHS, STEPS_PER_EPOCH = 32, 5, 10
STEPS = EPOCHS * STEPS_PER_EPOCH
WIDTHS = [784, 16, 12, 10]
LR = 0.002
FLAGS = ("--data", SUBSET, "--limit", BATCH * STEPS_PER_EPOCH, "--batch", BATCH, "--order", "fixed", "--hidden",
         "16,12", "--lr", LR, "--device", "cpu", "--threads", 1)


class Averages:
    """The averaged weights of --ema: every eighth step, with a decay that grows to the given one."""

    def __init__(self, network, decay):
        self.decay = decay
        self.values = [parameter.detach().clone() for parameter in network.parameters()]

    def update(self, network, step):
        if step % 8 != 0:
            return
        decay = min(self.decay, step / (step + 10)) ** 8
        for average, parameter in zip(self.values, network.parameters(), strict=True):
            average.copy_(decay * average + (1 - decay) * parameter.detach())


class SameParameters(ProgramTest):
    def setUp(self):
        super().setUp()
        images, labels = read_split(SUBSET, "train")
        self.images = torch.tensor(images).double() / 255
        self.labels = torch.tensor(labels).long()

    def train(self, engine, *flags):
        """Trains with the program; returns the parameters before the first step and after the last."""
        run_dir, model = self.tmp_dir / engine, self.tmp_dir / f"{engine}.safetensors"
        common = (*FLAGS, "--engine", engine, "--run-dir", run_dir, "--out", model)
        self.succeed("mnist-train", *common, "--epochs", 1)
        first = programs.read_tensors(run_dir / "checkpoint.previous.safetensors")
        initial = {name.removeprefix("model."): values for name, values in first.items() if name.startswith("model.")}
        self.succeed("mnist-train", *common, "--epochs", EPOCHS, *flags)
        return initial, programs.read_tensors(model)

    def reference(self, initial, make_optimizer, make_schedule, clip_norm, smoothing, ema):
        network = torch_mlp(WIDTHS).double()
        network.load_state_dict({name: torch.tensor(values) for name, values in initial.items()})
        optimizer = make_optimizer(network.parameters())
        schedule = make_schedule(optimizer)
        averages = Averages(network, ema)
        for step in range(STEPS):
            rows = slice(step % STEPS_PER_EPOCH * BATCH, (step % STEPS_PER_EPOCH + 1) * BATCH)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(self.images[rows]), self.labels[rows],
                                               label_smoothing=smoothing)
            loss.backward()
            if clip_norm > 0:
                nn.utils.clip_grad_norm_(network.parameters(), clip_norm)
            optimizer.step()
            averages.update(network, step + 1)
            if step + 1 < STEPS:
                schedule.step()
        names = [name for name, _ in network.named_parameters()]
        return dict(zip(names, averages.values if ema > 0 else [p.detach() for p in network.parameters()]))

    def expect_the_same(self, *flags, make_optimizer=lambda p: Adam(p, LR),
                        make_schedule=lambda o: schedules.ConstantLR(o, 1), clip_norm=0, smoothing=0, ema=0):
        for engine in ("fused", "torch"):
            initial, found = self.train(engine, *flags)
            expected = self.reference(initial, make_optimizer, make_schedule, clip_norm, smoothing, ema)
            self.assertEqual(list(found), list(expected))
            for name, values in found.items():
                furthest = (torch.tensor(values).double() - expected[name]).abs().max().item()
                self.assertLess(furthest, 1e-5, f"{engine}: {name}")

    def test_adam(self):
        self.expect_the_same()

    def test_adam_with_weight_decay(self):
        self.expect_the_same("--weight-decay", 0.01, make_optimizer=lambda p: Adam(p, LR, weight_decay=0.01))

    def test_adamw_with_weight_decay(self):
        self.expect_the_same("--optimizer", "adamw", "--weight-decay", 0.5,
                             make_optimizer=lambda p: AdamW(p, LR, weight_decay=0.5))

    def test_clipped_gradients(self):
        self.expect_the_same("--clip-norm", 0.5, clip_norm=0.5)

    def test_label_smoothing(self):
        self.expect_the_same("--label-smoothing", 0.2, smoothing=0.2)

    def test_averaged_weights(self):
        self.expect_the_same("--ema", 0.7, ema=0.7)  # reached at step 24, with both branches of the decay

    def test_step_schedule(self):
        self.expect_the_same("--schedule", "step", "--step-epochs", 2, "--step-factor", 0.3,
                             make_schedule=lambda o: schedules.StepLR(o, 2 * STEPS_PER_EPOCH, 0.3))

    def test_cosine_schedule(self):
        self.expect_the_same("--schedule", "cosine",
                             make_schedule=lambda o: schedules.CosineAnnealingLR(o, STEPS))

    def test_one_cycle_schedule(self):
        self.expect_the_same("--schedule", "one-cycle",
                             make_schedule=lambda o: schedules.OneCycleLR(o, LR, total_steps=STEPS,
                                                                          cycle_momentum=False))

    def test_warmup(self):
        self.expect_the_same("--warmup", 2, make_schedule=lambda o: schedules.LinearLR(o, 1 / 20, 1, 19))

    def test_everything_at_once(self):
        self.expect_the_same("--optimizer", "adamw", "--weight-decay", 0.1, "--clip-norm", 0.5,
                             "--label-smoothing", 0.1, "--ema", 0.7, "--schedule", "cosine",
                             make_optimizer=lambda p: AdamW(p, LR, weight_decay=0.1),
                             make_schedule=lambda o: schedules.CosineAnnealingLR(o, STEPS), clip_norm=0.5,
                             smoothing=0.1, ema=0.7)


if __name__ == "__main__":
    unittest.main()
