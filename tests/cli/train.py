"""End-to-end tests of mnist-train."""

import gzip
import json
import math
import os
import re
import shutil
import struct
import subprocess
import unittest

import programs
from programs import BIN, FASHION_SUBSET, SUBSET, ProgramTest


class Training(ProgramTest):
    def test_reports_configuration_progress_and_result(self):
        model = self.tmp_dir / "model.pt"
        process = self.succeed("mnist-train", "--data", SUBSET, "--epochs", 2, "--device", "cpu", "--out", model)
        self.assertRegex(process.stdout, r"^test accuracy \d\d\.\d\d % \(95 % interval \d\d\.\d\d to "
                         r"\d\d\.\d\d; \d+ of 1,000\), test loss \d\.\d+, last-batch loss \d\.\d+\nmodel: ")
        for words in ("LibTorch 2.", "fused on cpu", "235,146", "0.weight", "[256, 784]",
                      f"options: --data {SUBSET} --epochs 2 --out {model} --device cpu\n",
                      "2,000 training examples\nfirst minibatch: loss 2.", "(ln 10 = 2.3026 when guessing)\nepoch 1/2",
                      "epoch 2/2"):
            self.assertIn(words, process.stderr)
        self.assertNotIn("AVX3", process.stderr)
        self.assertTrue(model.exists())

    def test_reaches_the_required_accuracy(self):
        process = self.succeed("mnist-train", "--data", SUBSET, "--epochs", 5, "--device", "cpu",
                               "--out", self.tmp_dir / "m.pt", "--require-accuracy", 85)
        self.assertIn("test accuracy", process.stdout)

    def test_the_seed_determines_the_model_bytes(self):
        first = self.train_quickly(name="a.pt").read_bytes()
        again = self.train_quickly(name="b.pt").read_bytes()
        other = self.train_quickly("--seed", 1, name="c.pt").read_bytes()
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_run_directory_records_metrics_and_config(self):
        run_dir = self.tmp_dir / "runs" / "one"
        process = self.succeed("mnist-train", "--data", SUBSET, "--epochs", 3, "--validation", 500,
                               "--device", "cpu", "--run-dir", run_dir, "--out", self.tmp_dir / "m.pt")
        self.assertIn("1,500 training examples, 500 held out", process.stderr)
        epochs = programs.read_metrics(run_dir)
        self.assertEqual([epoch["epoch"] for epoch in epochs], [1, 2, 3])
        self.assertEqual(epochs[-1]["step"], 3 * 47)
        self.assertAlmostEqual(epochs[0]["first_batch_loss"], 2.30, delta=0.05)
        self.assertLess(epochs[-1]["train_loss"], epochs[0]["train_loss"])
        self.assertGreater(epochs[-1]["validation_accuracy"], 0.7)
        self.assertEqual(len(epochs[0]["gradient_norm"]), 6)
        again = self.succeed("mnist-train", "--config", run_dir / "config.toml", "--print-config")
        self.assertEqual(again.stdout, (run_dir / "config.toml").read_text())

    def test_a_single_held_out_example_is_scored(self):
        run_dir = self.tmp_dir / "run"
        self.succeed("mnist-train", "--data", SUBSET, "--limit", 100, "--epochs", 1, "--validation", 1,
                     "--run-dir", run_dir)
        epoch = programs.read_metrics(run_dir)[0]
        self.assertIn(epoch["validation_accuracy"], (0, 1))
        self.assertGreater(epoch["validation_loss"], 0)

    def test_accuracy_below_the_required_one_exits_with_3(self):
        model = self.tmp_dir / "m.pt"
        process = programs.run("mnist-train", "--data", SUBSET, "--epochs", 1, "--device", "cpu",
                               "--out", model, "--require-accuracy", 99.9)
        self.assertEqual(process.returncode, 3)
        self.assertIn("is below the required 99.9 %", process.stderr)
        self.assertTrue(model.exists())

    def test_divergence_stops_and_keeps_the_old_model(self):
        model = self.tmp_dir / "m.pt"
        model.write_bytes(b"old")
        process = programs.run("mnist-train", "--data", SUBSET, "--lr", 100, "--epochs", 50,
                               "--activation", "identity", "--hidden", ",".join(["16"] * 20),
                               "--device", "cpu", "--out", model)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertRegex(process.stderr, r"training diverged: the loss of step \d+ is -?(nan|inf) at "
                         r"learning rate 100; gradient norms: ")
        self.assertEqual(model.read_bytes(), b"old")
        self.assertEqual([path.name for path in self.tmp_dir.iterdir()], ["m.pt"])

    def test_the_number_of_threads_does_not_change_the_model(self):
        flags = ("--data", SUBSET, "--epochs", 1, "--device", "cpu")
        bytes_of = lambda name: (self.tmp_dir / name).read_bytes()
        for threads in (1, 2, 64):
            process = self.succeed("mnist-train", *flags, "--engine", "fused", "--threads", threads,
                                   "--out", self.tmp_dir / f"{threads}.pt")
            self.assertIn(f"{threads} thread", process.stderr)
        self.assertEqual(bytes_of("1.pt"), bytes_of("2.pt"))
        self.assertEqual(bytes_of("1.pt"), bytes_of("64.pt"))
        process = self.succeed("mnist-train", *flags, "--engine", "torch", "--out", self.tmp_dir / "a.pt")
        self.assertIn("torch on cpu", process.stderr)
        process = self.succeed("mnist-train", *flags, "--activation", "tanh", "--out", self.tmp_dir / "t.pt")
        self.assertIn("torch on cpu", process.stderr)  # auto selects an engine that supports tanh

    def test_engines_agree_with_every_regularization_enabled(self):
        flags = ("--schedule", "cosine", "--warmup", 0.1, "--clip-norm", 1, "--ema", 0.99, "--dropout",
                 "0.1,0.2", "--input-dropout", 0.1, "--label-smoothing", 0.05, "--rotation", 10,
                 "--translation", 1, "--elastic", 0.8, "--init", "he", "--epochs", 3,
                 "--hidden", "64,32", "--data", SUBSET, "--out", self.tmp_dir / "model.pt")
        losses = {}
        for engine in ("fused", "torch"):
            self.succeed("mnist-train", "--engine", engine, "--run-dir", self.tmp_dir, *flags)
            losses[engine] = [epoch["train_loss"] for epoch in programs.read_metrics(self.tmp_dir)]
        for fused, reference in zip(losses["fused"], losses["torch"], strict=True):
            self.assertAlmostEqual(fused, reference, delta=2e-3 * reference)

    def test_patience_stops_early_and_keeps_the_best_epoch(self):
        path = self.tmp_dir / "model.pt"
        process = self.succeed("mnist-train", "--data", SUBSET, "--hidden", "16", "--epochs", 200,
                               "--lr", 0.03, "--validation", 0.2, "--patience", 2, "--out", path,
                               "--run-dir", self.tmp_dir)
        epochs = programs.read_metrics(self.tmp_dir)
        self.assertLess(len(epochs), 200)
        best = max(epochs, key=lambda epoch: (epoch["validation_accuracy"], -epoch["validation_loss"]))
        self.assertEqual(best["epoch"], len(epochs) - 2)
        self.assertIn(f"kept epoch {best['epoch']}: ", process.stderr)

    def test_trains_linear_classifiers_and_other_activations(self):
        process = self.succeed("mnist-train", "--data", SUBSET, "--epochs", 2, "--hidden", "none",
                               "--device", "cpu", "--out", self.tmp_dir / "m.pt")
        self.assertIn("784-10", process.stderr)
        for activation in ("tanh", "sigmoid", "identity"):
            self.train_quickly("--activation", activation)

    def test_flags_override_the_config_file(self):
        config = self.tmp_dir / "c.toml"
        config.write_text(f'data = "{FASHION_SUBSET}"\nhidden = [64]\nepochs = 9\n')
        process = self.succeed("mnist-train", "--config", config, "--epochs", 1, "--device", "cpu",
                               "--out", self.tmp_dir / "m.safetensors")
        self.assertIn("784-64-10", process.stderr)
        self.assertIn("epoch 1/1", process.stderr)  # not the 9 of the file

    def test_paths_may_contain_spaces_and_line_breaks(self):
        directory = self.tmp_dir / "a b\nc \udcff"
        directory.mkdir()
        model = directory / "my model.pt"
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 1, "--hidden", 8, "--device", "cpu",
                     "--run-dir", directory / "run", "--out", model)
        self.assertTrue(model.exists())


class Summaries(ProgramTest):
    FLAGS = ("--data", SUBSET, "--hidden", 16, "--epochs", 2, "--device", "cpu")

    def test_the_model_may_be_above_a_run_directory_that_does_not_exist_yet(self):
        model = self.tmp_dir / "runs" / "m.pt"
        self.succeed("mnist-train", *self.FLAGS, "--run-dir", model.parent / "one", "--out", model)
        self.assertTrue(model.exists())

    def test_a_run_directory_holds_the_model_and_a_summary(self):
        run_dir = self.tmp_dir / "run"
        process = self.succeed("mnist-train", *self.FLAGS, "--validation", 400, "--run-dir", run_dir)
        summary = json.loads((run_dir / "summary.json").read_text())
        self.assertEqual(summary["model"], str(run_dir / "model.pt"))
        self.assertIn(f"\nmodel: {run_dir}/model.pt\n", process.stdout)
        evaluated = self.evaluate(run_dir / "model.pt")
        self.assertEqual(summary["test_correct"], evaluated["correct"])
        self.assertEqual(summary["test_examples"], 1000)
        self.assertEqual(summary["test_accuracy"], evaluated["accuracy"])
        self.assertLess(summary["test_interval"][0], summary["test_accuracy"])
        self.assertGreater(summary["test_interval"][1], summary["test_accuracy"])
        epochs = programs.read_metrics(run_dir)
        self.assertEqual(summary["validation_accuracy"], epochs[-1]["validation_accuracy"])
        self.assertAlmostEqual(summary["seconds"], sum(epoch["seconds"] for epoch in epochs), places=6)
        self.assertEqual((summary["epochs"], summary["best_epoch"]), (2, 2))
        self.assertEqual((summary["data"]["training_examples"], summary["data"]["test_examples"]), (2000, 1000))
        self.assertTrue(summary["engine"].startswith("fused on cpu ("))
        self.assertIn(f", {summary['threads']} thread", summary["engine"])
        self.assertEqual(summary["device"], "cpu")

    def test_json_is_the_summary(self):
        run_dir = self.tmp_dir / "run"
        process = self.succeed("mnist-train", *self.FLAGS, "--run-dir", run_dir, "--json")
        self.assertEqual(json.loads(process.stdout), json.loads((run_dir / "summary.json").read_text()))
        self.assertEqual(process.stdout.count("\n"), 1)
        self.assertIn("\ntest accuracy ", process.stderr)
        quiet = self.succeed("mnist-train", *self.FLAGS, "--json", "--quiet", "--out", self.tmp_dir / "m.pt")
        self.assertEqual(quiet.stderr, "")
        self.assertEqual(json.loads(quiet.stdout)["test_accuracy"], json.loads(process.stdout)["test_accuracy"])

    def test_a_resumed_run_writes_its_model_into_its_directory(self):
        run_dir = self.tmp_dir / "run"
        self.succeed("mnist-train", *self.FLAGS, "--run-dir", run_dir)
        moved = run_dir.rename(self.tmp_dir / "moved")
        self.succeed("mnist-train", "--resume", moved, "--epochs", 3)
        self.assertEqual(json.loads((moved / "summary.json").read_text())["epochs"], 3)
        self.succeed("mnist-train", "--data", SUBSET, "--hidden", 16, "--epochs", 3, "--device", "cpu",
                     "--out", self.tmp_dir / "expected.pt")
        self.assertEqual((moved / "model.pt").read_bytes(), (self.tmp_dir / "expected.pt").read_bytes())

    def test_without_a_test_the_test_files_need_not_exist(self):
        data = self.tmp_dir / "data"
        data.mkdir()
        for file in SUBSET.glob("train-*"):
            shutil.copy(file, data)
        flags = ("--data", data, *self.FLAGS[2:])
        self.fail_with(1, "t10k-images", "mnist-train", *flags, "--out", self.tmp_dir / "m.pt")
        run_dir = self.tmp_dir / "run"
        process = self.succeed("mnist-train", *flags, "--validation", 400, "--run-dir", run_dir, "--no-test")
        self.assertTrue(process.stdout.startswith("validation accuracy "), process.stdout)
        summary = json.loads((run_dir / "summary.json").read_text())
        self.assertIsNone(summary["test_accuracy"])
        self.assertEqual(summary["data"]["test_examples"], 0)
        self.assertGreater(summary["validation_accuracy"], 0.5)
        # Also when it is resumed.
        self.succeed("mnist-train", "--resume", run_dir, "--epochs", 3)


class Recipes(ProgramTest):
    def test_a_recipe_does_what_its_file_does(self):
        shown = lambda *flags: self.succeed("mnist-train", *flags, "--print-config").stdout
        by_file = shown("--config", programs.ROOT / "recipes/mnist-quick.toml", "--batch", 8)
        self.assertEqual(shown("--recipe", "mnist-quick", "--batch", 8), by_file)
        self.assertNotEqual(shown("--batch", 8), by_file)

    def test_recipes_move_with_the_program(self):
        (self.tmp_dir / "bin").mkdir()
        program = shutil.copy(BIN / "mnist-train", self.tmp_dir / "bin")
        self.fail_with(2, f"there are no recipes in {self.tmp_dir}/share/mnist-trainer/recipes", program,
                       "--recipe", "mine", "--print-config", name="mnist-train")
        recipes = self.tmp_dir / "share/mnist-trainer/recipes"
        recipes.mkdir(parents=True)
        (recipes / "mine.toml").write_text("epochs = 77\n")
        self.assertIn("epochs = 77 ", self.succeed(program, "--recipe", "mine", "--print-config").stdout)


class CpuTargets(ProgramTest):
    """Only the libraries see the pretended CPU; our own code asks the real one."""

    FLAGS = ("--data", SUBSET, "--hidden", "32,16", "--epochs", 2, "--rotation", 10, "--elastic", 1,
             "--init", "he", "--schedule", "cosine", "--validation", 500, "--patience", 2)
    OTHER_CPU = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2", "ATEN_CPU_CAPABILITY": "default",
                 "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"}

    def train(self, target, environment=None):
        model = self.tmp_dir / f"{target}.pt"
        process = self.succeed("mnist-train", *self.FLAGS, "--cpu-target", target, "--out", model,
                               environment=environment)
        return model.read_bytes(), process.stderr

    def test_pinned_runs_agree_on_different_cpus(self):
        process = programs.run("mnist-train", "--data", SUBSET, "--cpu-target", "unknown")
        self.assertEqual(process.returncode, 2)
        targets = re.search(r"one of auto, (.*) on this CPU", process.stderr)[1].split(", ")
        for target in targets:
            with self.subTest(target=target):
                model, text = self.train(target)
                self.assertIn(f"fused on cpu ({target.upper()})", text)
                self.assertEqual(self.train(target, self.OTHER_CPU)[0], model)
        if len(targets) > 1:
            self.assertNotEqual(self.train(targets[0])[0], self.train(targets[-1])[0])
        self.assertIn(f"fused on cpu ({targets[0].upper()})", self.train("auto")[1])

    def test_an_unknown_one_is_rejected_before_anything_is_written(self):
        self.fail_with(2, "--cpu-target must be one of auto, ", "mnist-train", "--data", SUBSET, "--run-dir",
                       self.tmp_dir / "run", "--cpu-target", "mmx")
        self.assertEqual(list(self.tmp_dir.iterdir()), [])


class Usage(ProgramTest):
    def refuse(self, words, *flags):
        self.fail_with(2, words, "mnist-train", *flags)

    def test_invalid_values_are_rejected_with_the_allowed_ones(self):
        for flag, value, words in (
            ("--epochs", "0", "--epochs must be from 1 to 1000000, found 0"),
            ("--epochs", "three", "--epochs: expected a whole number, found 'three'"),
            ("--batch", "0", "--batch must be from 1 to 60000, found 0"),
            ("--batch", "70000", "--batch must be from 1 to 60000, found 70000"),
            ("--lr", "nan", "--lr must be above 0 and at most 100, found nan"),
            ("--lr", "-0.1", "--lr must be above 0"),
            ("--hidden", "256,,128", "--hidden: expected comma-separated whole numbers, found ''"),
            ("--activation", "gelu", "--activation: expected relu, tanh, sigmoid or identity, found 'gelu'"),
            ("--device", "gpu", "--device must be auto, cpu, cuda or cuda:N, found 'gpu'"),
            ("--out", "model.onnx", "--out must be a file name that ends in .pt or .safetensors"),
            ("--out", "/none/model.pt", "there is no directory /none"),
            ("--validation", "2000", "--validation 2000 leaves none of 2000 examples"),
            ("--limit", "2001", "--limit 2001 is more than the 2000 examples"),
        ):
            with self.subTest(flag=flag, value=value):
                self.refuse(words, "--data", SUBSET, flag, value)

    def test_a_wrong_model_path_leaves_no_run_directory_behind(self):
        self.refuse("cannot be written: there is no directory", "--data", SUBSET, "--run-dir", self.tmp_dir / "run",
                    "--out", self.tmp_dir / "missing" / "m.pt")
        self.assertEqual(list(self.tmp_dir.iterdir()), [])

    def test_unknown_repeated_and_incomplete_flags_are_rejected(self):
        self.refuse("--epoch", "--epoch", "3")
        self.refuse("--epochs", "--epochs", "3", "--epochs", "4")
        self.refuse("stray", "stray")
        self.refuse("--lr", "--lr")

    def test_contradictory_flags_are_rejected(self):
        self.refuse("--activation tanh cannot be combined with --hidden none", "--hidden", "none", "--activation", "tanh")
        self.refuse("--engine fused supports only --activation relu, found tanh", "--engine", "fused", "--activation", "tanh")

    def test_without_a_gpu_cuda_is_an_error_and_auto_uses_the_cpu(self):
        self.fail_with(1, "--device cuda is not available: ", "mnist-train", "--device", "cuda", "--data", SUBSET,
                       "--out", self.tmp_dir / "m.pt", environment={"CUDA_VISIBLE_DEVICES": ""})
        self.assertEqual([], list(self.tmp_dir.iterdir()))
        process = self.succeed("mnist-train", "--data", SUBSET, "--epochs", 1, "--out", self.tmp_dir / "m.pt",
                               environment={"CUDA_VISIBLE_DEVICES": ""})
        self.assertIn("fused on cpu (", process.stderr)

    def test_config_errors_name_the_line(self):
        config = self.tmp_dir / "c.toml"
        config.write_text("epochs = 3\nbatsh = 32\n")
        self.refuse("c.toml:2: unknown option 'batsh'", "--config", config)
        config.write_text("epochs = 'x'\n")
        self.refuse("c.toml:1: epochs: 'x' has the wrong type", "--config", config)
        config.write_text("epochs = 0\n")
        self.refuse("--epochs must be from 1", "--config", config)
        self.refuse("none.toml", "--config", self.tmp_dir / "none.toml")

    def test_an_unwritable_output_is_found_before_training(self):
        (self.tmp_dir / "m.pt").mkdir()
        self.refuse("is a directory", "--data", SUBSET, "--out", self.tmp_dir / "m.pt")
        self.refuse("cannot be written", "--data", SUBSET, "--out", "/proc/m.pt")

    def test_flags_override_config_overrides_environment(self):
        config = self.tmp_dir / "c.toml"
        config.write_text("data = 'from config'\n")
        shown = lambda *flags: self.succeed(
            "mnist-train", *flags, "--print-config", environment={"MNIST_DATA": "from environment"}
        ).stdout.splitlines()[0]
        self.assertIn("from environment", shown())
        self.assertIn("from config", shown("--config", config))
        self.assertIn("from flag", shown("--config", config, "--data", "from flag"))


class Texts(ProgramTest):
    def test_help_has_groups_and_defaults(self):
        text = self.succeed("mnist-train", "--help").stdout
        for words in ("Start here:", "Model:", "Training:", "[default: 15]", "[default: 0.001]",
                      "[default: 256,128]", "MNIST_DATA", "Examples:", "Exit codes: 0 success"):
            self.assertIn(words, text)

    def test_version_names_commit_and_libtorch(self):
        text = self.succeed("mnist-train", "--version").stdout
        checkout = subprocess.run(["git", "-C", programs.ROOT, "rev-parse"], stderr=subprocess.DEVNULL).returncode == 0
        revision = "[0-9a-f]{10}(-dirty)?" if checkout else "unknown"
        self.assertRegex(text, rf"\Amnist-trainer \d+\.\d+\.\d+ \({revision}\), "
                         r"LibTorch \d+\.\d+\.\d+ with(out)? CUDA\n\Z")

    def test_a_full_standard_output_is_an_error_but_a_closed_pipe_is_not(self):
        with open("/dev/full", "w") as full:
            process = subprocess.run([BIN / "mnist-train", "--help"], stdout=full,
                                     stderr=subprocess.PIPE, text=True)
        self.assertEqual(process.returncode, 1)
        self.assertIn("standard output cannot be written: No space left", process.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.run([BIN / "mnist-train", "--help"], stdout=writer,
                                 stderr=subprocess.PIPE, text=True)
        os.close(writer)
        self.assertEqual((process.returncode, process.stderr), (0, ""))


class Data(ProgramTest):
    def test_a_test_split_of_another_size_is_rejected_before_training(self):
        shutil.copytree(SUBSET, self.tmp_dir / "data")
        for file, dimensions in (("images-idx3", (20, 14, 14)), ("labels-idx1", (20,))):
            content = struct.pack(f">4B{len(dimensions)}I", 0, 0, 8, len(dimensions), *dimensions)
            content += bytes(math.prod(dimensions))
            (self.tmp_dir / f"data/t10k-{file}-ubyte.gz").write_bytes(gzip.compress(content))
        process = programs.run("mnist-train", "--data", self.tmp_dir / "data", "--out", self.tmp_dir / "m.pt")
        self.assertEqual(process.returncode, 1)
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        self.assertIn("needs 196 inputs (14x14 pixels) and 10 classes", process.stderr)
        self.assertFalse((self.tmp_dir / "m.pt").exists())

    def test_missing_data_points_to_fetch_data(self):
        self.fail_with(1, "scripts/fetch_data.sh", "mnist-train", "--data", self.tmp_dir / "none")
        self.fail_with(1, "contains neither train-images-idx3-ubyte nor", "mnist-train", "--data", self.tmp_dir)

    def test_broken_data_files_are_rejected_before_training(self):
        good = {path.name: path.read_bytes() for path in SUBSET.iterdir()}
        images = "train-images-idx3-ubyte.gz"
        for content, words in (
            (b"", "is truncated to 0 bytes"),
            (good[images][:-1000], "truncated"),
            (good[images][:1000], "1000 bytes of gzip can hold"),
            (good[images] + b"x", "garbage"),
            (b"\0\0\x08\x03\0\0", "is truncated to 6 bytes"),
            (b"\0\0\x08\x03" + b"\xff" * 12, "64 bits"),
            (good["train-labels-idx1-ubyte.gz"], "holds u8 of rank 1, expected images"),
            (good["t10k-images-idx3-ubyte.gz"], "has 2000 labels, but"),
        ):
            with self.subTest(words=words):
                for name, bytes_ in good.items():
                    (self.tmp_dir / name).write_bytes(bytes_)
                (self.tmp_dir / images).write_bytes(content)
                self.fail_with(1, words, "mnist-train", "--data", self.tmp_dir, "--device", "cpu",
                               "--out", self.tmp_dir / "m.pt")
                self.assertFalse((self.tmp_dir / "m.pt").exists())


if __name__ == "__main__":
    unittest.main()
