"""Exchanges model files with Python's PyTorch and compares schedules and training steps with it."""

import json
import os
import pickle
import subprocess
import sys
import unittest
import zipfile
from collections import OrderedDict

from programs import FULL, SUBSET, TEST_BIN, ProgramTest, read_metrics, read_split, torch_mlp

try:
    import torch
    from torch import nn
except ImportError:
    print("needs the Python package torch: skipped")
    sys.exit(77)


def load_split(directory, split):
    """Returns images, f32 [count, 784] in 0..1, and labels, i64 [count]."""
    images, labels = read_split(directory, split)
    return torch.tensor(images).float() / 255, torch.tensor(labels).long()


def confusion_of(network, directory):
    images, labels = load_split(directory, "t10k")
    with torch.no_grad():
        predictions = network(images).argmax(1)
    return torch.bincount(labels * 10 + predictions, minlength=100).reshape(10, 10).tolist()


class PyTorchReadsOurFiles(ProgramTest):
    def test_predictions_agree(self):
        model = self.tmp_dir / "model.pt"
        self.succeed("mnist-train", "--data", FULL, "--limit", 2000, "--epochs", 2, "--device", "cpu", "--out", model)
        network = torch_mlp([784, 256, 128, 10])
        network.load_state_dict(torch.load(model, weights_only=True))
        self.assertEqual(confusion_of(network, FULL), self.evaluate(model, FULL)["confusion"])

    def test_model_info_is_a_separate_archive_record(self):
        model = self.train_quickly()
        with zipfile.ZipFile(model) as archive:
            self.assertIsNone(archive.testzip())
            info = json.loads(archive.read("archive/mnist.json"))
        self.assertEqual(info["shape"], {"inputs": 784, "hidden": [16], "classes": 10})
        self.assertEqual(info["training"]["options"]["epochs"], 1)


class WeReadPyTorchFiles(ProgramTest):
    def setUp(self):
        super().setUp()
        torch.manual_seed(0)
        self.network = torch_mlp([784, 32, 16, 10])
        self.path = self.tmp_dir / "python.pt"

    def expect_same_predictions(self, network=None):
        self.assertEqual(self.evaluate(self.path, FULL)["confusion"], confusion_of(network or self.network, FULL))

    def test_state_dict(self):
        torch.save(self.network.state_dict(), self.path)
        self.expect_same_predictions()

    def test_plain_dict_and_every_pickle_protocol(self):
        for protocol in (2, 3, 4, 5):
            torch.save(dict(self.network.state_dict()), self.path, pickle_protocol=protocol)
            self.expect_same_predictions()

    def test_parameters_instead_of_tensors(self):
        torch.save(OrderedDict(self.network.named_parameters()), self.path)
        self.expect_same_predictions()

    def test_training_checkpoints_that_contain_a_state_dict(self):
        optimizer = torch.optim.Adam(self.network.parameters())
        self.network(torch.rand(4, 784)).sum().backward()
        optimizer.step()
        for key in ("model", "state_dict", "model_state_dict"):
            torch.save({"epoch": 3, "loss": 0.25, "best": None, "done": False, "name": "run",
                        "optimizer": optimizer.state_dict(), key: self.network.state_dict()}, self.path)
            self.expect_same_predictions()

    def test_names_with_a_common_prefix(self):
        state = {f"module.{name}": tensor for name, tensor in self.network.state_dict().items()}
        torch.save(state, self.path)
        self.expect_same_predictions()

    def test_layer_numbers_shifted_by_flatten_and_dropout(self):
        linear = [layer for layer in self.network if isinstance(layer, nn.Linear)]
        shifted = nn.Sequential(nn.Flatten(), linear[0], nn.ReLU(), nn.Dropout(), linear[1], nn.ReLU(),
                                nn.Dropout(), linear[2])
        torch.save(shifted.state_dict(), self.path)
        self.expect_same_predictions()

    def test_other_floating_point_types(self):
        for dtype in (torch.float64, torch.float16, torch.bfloat16):
            torch.save(self.network.to(dtype).state_dict(), self.path)
            self.expect_same_predictions(self.network.float())

    def test_views_transposes_and_shared_storages(self):
        state = self.network.state_dict()
        state["0.weight"] = state["0.weight"].t().contiguous().t()
        everything = torch.cat([tensor.flatten() for tensor in state.values()])
        offset = 0
        for name, tensor in list(state.items())[1:]:
            offset = sum(t.numel() for t in list(state.values())[: list(state).index(name)])
            state[name] = everything[offset : offset + tensor.numel()].view(tensor.shape)
        torch.save(state, self.path)
        self.expect_same_predictions()

    def test_missing_and_unsupported_tensors_are_rejected(self):
        state = self.network.state_dict()
        del state["2.bias"]
        torch.save(state, self.path)
        self.fail_with(1, "but no tensor '2.bias'", "mnist-eval", "--model", self.path, "--data", SUBSET)
        torch.save(nn.Conv2d(1, 8, 3).state_dict(), self.path)
        self.fail_with(1, "of shape [8, 1, 3, 3] does not belong", "mnist-eval", "--model", self.path, "--data", SUBSET)
        torch.save(torch_mlp([100, 10]).state_dict(), self.path)
        self.fail_with(1, "the network is 100-10, but", "mnist-eval", "--model", self.path, "--data", SUBSET)
        torch.save({"0.weight": torch.ones(10, 784, dtype=torch.int64), "0.bias": torch.ones(10)}, self.path)
        self.fail_with(1, "is stored as torch.LongStorage", "mnist-eval", "--model", self.path, "--data", SUBSET)


class Attack:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class MaliciousFiles(ProgramTest):
    def test_pickles_that_call_functions_are_rejected(self):
        witness = self.tmp_dir / "witness"
        path = self.tmp_dir / "attack.pt"
        for function, arguments, name in (
            (os.system, (f"touch {witness}",), "system"),
            (eval, (f"open({str(witness)!r}, 'w')",), "eval"),
            (getattr, ("", "join"), "getattr"),
            (subprocess.Popen, (["touch", str(witness)],), "Popen"),
        ):
            for protocol in (2, 4):
                torch.save({"0.weight": Attack(function, *arguments)}, path, pickle_protocol=protocol)
                process = self.fail_with(1, "attack.pt: its pickle references", "mnist-eval",
                                         "--model", path, "--data", SUBSET)
                self.assertIn(name, process.stderr)
                self.assertFalse(witness.exists())

    def test_legacy_formats_are_rejected_by_name(self):
        path = self.tmp_dir / "old.pt"
        torch.save({}, path, _use_new_zipfile_serialization=False)
        self.fail_with(1, "before PyTorch 1.6", "mnist-eval", "--model", path, "--data", SUBSET)
        path.write_bytes(pickle.dumps({}))
        self.fail_with(1, "before PyTorch 1.6", "mnist-eval", "--model", path, "--data", SUBSET)


class SameLearningRates(ProgramTest):
    """One minibatch holds the whole dataset, so that metrics.jsonl has the learning rate of each step."""

    EPOCHS = 20

    def rates(self, *flags):
        self.succeed("mnist-train", "--data", SUBSET, "--limit", 10, "--batch", 10, "--lr", 0.5,
                     "--epochs", self.EPOCHS, "--hidden", "16", "--run-dir", self.tmp_dir,
                     "--out", self.tmp_dir / "model.pt", *flags)
        return [epoch["learning_rate"] for epoch in read_metrics(self.tmp_dir)]

    def expect_schedule(self, make, *flags):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        schedule = make(optimizer)
        for step, rate in enumerate(self.rates(*flags)):
            self.assertAlmostEqual(rate, schedule.get_last_lr()[0], places=12, msg=f"step {step}")
            optimizer.step()
            if step + 1 < self.EPOCHS:
                schedule.step()

    def test_schedules_agree_with_pytorch(self):
        kinds = torch.optim.lr_scheduler
        self.expect_schedule(lambda o: kinds.CosineAnnealingLR(o, self.EPOCHS), "--schedule", "cosine")
        self.expect_schedule(lambda o: kinds.StepLR(o, 3, 0.5),
                             "--schedule", "step", "--step-epochs", 3, "--step-factor", 0.5)
        self.expect_schedule(lambda o: kinds.OneCycleLR(o, 0.5, total_steps=self.EPOCHS),
                             "--schedule", "one-cycle")


class SameSteps(ProgramTest):
    def test_the_losses_of_fifty_steps_agree(self):
        initial = self.tmp_dir / "initial.pt"
        printed = subprocess.run([TEST_BIN / "reference_steps", str(FULL), "50", "32", initial],
                                 capture_output=True, check=True, text=True).stdout
        ours = json.loads(printed)
        network = torch_mlp([784, 256, 128, 10])
        network.load_state_dict(torch.load(initial, weights_only=True))
        optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
        images, labels = load_split(FULL, "train")
        minibatches = torch.tensor(ours["indices"]).split(32)
        self.assertEqual(len(minibatches), 50)
        for step, (indices, our_loss) in enumerate(zip(minibatches, ours["losses"], strict=True)):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(images[indices]), labels[indices])
            loss.backward()
            optimizer.step()
            self.assertAlmostEqual(loss.item(), our_loss, delta=1e-5, msg=f"step {step}")
        self.assertLess(ours["losses"][-1], 1.5)


if __name__ == "__main__":
    unittest.main()
