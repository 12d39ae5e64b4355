"""The recipes of docs/cookbook.md, run exactly as printed on the page, on the MNIST subset."""

import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
import unittest.mock

import slurm
from programs import BIN, FULL, ROOT, SUBSET, ProgramTest, read_split
from services import PostgreSQL

PAGE = (ROOT / "docs/cookbook.md").read_text()


def has(*modules):
    return all(importlib.util.find_spec(module) for module in modules)


def blocks(title):
    """Returns [(language, code)] of the section `title`."""
    section = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```(\w+)\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)


class Cookbook(ProgramTest):
    def setUp(self):
        super().setUp()
        (self.tmp_dir / "data").mkdir()
        (self.tmp_dir / "data/mnist").symlink_to(SUBSET)
        for name in ("examples", "recipes", "scripts"):
            (self.tmp_dir / name).symlink_to(ROOT / name)

    def shell(self, code, **variables):
        """Runs shell code in the temporary directory; returns what it printed, the exit code last."""
        path = f"{BIN}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {k: v for k, v in os.environ.items() if k != "MNIST_DATA"} | {"PATH": path} | variables
        process = subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=self.tmp_dir, env=environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500)
        return process.returncode, process.stdout

    def follow(self, title, replacements=(), **variables):
        """Saves the files of a section, then runs its commands; returns what they printed."""
        commands = []
        for language, code in blocks(title):
            if language == "sh":
                commands.append(code)
            else:
                name = re.match(r"(?:#|//) (\S+)\n", code)[1]
                (self.tmp_dir / name).write_text(code)
        self.assertTrue(commands, title)
        script = "".join(commands)
        for old, new in replacements:
            self.assertIn(old, script)
            script = script.replace(old, new)
        code, output = self.shell(script, **variables)
        self.assertEqual(code, 0, output)
        return output

    def test_resume(self):
        self.assertIn("epoch 20/20", self.follow("Resume a run"))

    def test_accuracy_gate_passes_and_fails(self):
        # The subset is too small for the page's 97 %.
        output = self.follow("Check the accuracy in CI", [("97", "80")])
        measured = re.search(r"accuracy ([\d.]+) % \(95 % interval ([\d.]+) to ([\d.]+)\)", output.splitlines()[-1])
        low, high = float(measured[2]), float(measured[3])
        self.assertLess(80, low)
        # The interval is the one that mnist-eval prints.
        self.assertIn(f"95 % interval {low:.2f} to {high:.2f}",
                      self.succeed("mnist-eval", "--model", self.tmp_dir / "model.pt", "--data", SUBSET).stdout)
        gate = "mnist-eval --model model.pt --json | scripts/accuracy_gate.py --at-least "
        # Between the lower end and the accuracy itself, only the interval fails.
        self.assertEqual(self.shell(gate + str(low + 0.01))[0], 3)
        self.assertEqual(self.shell(gate + str(low - 0.01))[0], 0)

    @unittest.skipUnless(has("PIL", "numpy"), "needs pillow and numpy")
    def test_own_images(self):
        from PIL import Image
        names = ["nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        for split, folder, count in (("train", "train", 600), ("t10k", "test", 100)):
            images, labels = read_split(SUBSET, split)
            for index in range(count):
                path = self.tmp_dir / "own" / folder / names[labels[index]] / f"{index:04}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(images[index].reshape(28, 28)).save(path)
        output = self.follow("Train on your own images")
        predictions = re.findall(r"^own/test/(\w+)/\d+\.png: (\w+) ", output, re.MULTILINE)
        self.assertEqual(len(predictions), 100)
        correct = sum(truth == guess for truth, guess in predictions)
        self.assertGreater(correct, 70)
        # The dataset and the pictures are the same images with the same labels.
        self.assertEqual(self.evaluate(self.tmp_dir / "own.pt", self.tmp_dir / "data/own")["correct"], correct)

    @unittest.skipIf(FULL == SUBSET, "the full set has not been fetched")
    def test_sweep(self):
        (self.tmp_dir / "data/mnist").unlink()
        (self.tmp_dir / "data/mnist").symlink_to(FULL)
        shorter = f"--seeds 0-1 --set epochs 1 --results results --bin {BIN}"
        output = self.follow("Compare seeds and options", [("--seeds 0-2", shorter)])
        rows = re.findall(r"^\| (lr 0.001|lr 0.002|unchanged) \| (\d\d\.\d\d) ", output, re.MULTILINE)
        self.assertEqual([row[0] for row in rows], ["lr 0.001", "lr 0.002", "unchanged"])

    @unittest.skipUnless(has("optuna"), "needs optuna")
    def test_search(self):
        shorter = f"--trials 4 --set epochs 2 --set validation 400 --results results --bin {BIN}"
        output = self.follow("Search hyperparameters with Optuna", [("--trials 20", shorter)])
        trials = re.findall(r"^trial \d \((batch \d+, lr \S+), seed 0\): (\d+\.\d\d|pruned)", output, re.MULTILINE)
        self.assertEqual(len(trials), 4, output)
        for options, _ in trials:
            batch, lr = re.fullmatch(r"batch (\d+), lr (\S+)", options).groups()
            self.assertIn(batch, ("32", "64"))
            self.assertTrue(0.0001 <= float(lr) <= 0.01, lr)
        # The table has the trials that were not pruned, the best first.
        rows = re.findall(r"^\| (batch \d+, lr \S+) \| (\d+\.\d\d) ", output, re.MULTILINE)
        self.assertEqual(set(rows), {trial for trial in trials if trial[1] != "pruned"}, output)
        self.assertEqual(rows, sorted(rows, key=lambda row: float(row[1]), reverse=True), output)
        self.assertTrue(rows, output)

    @unittest.skipUnless(has("optuna", "psycopg"), "needs optuna and psycopg")
    @unittest.skipUnless(slurm.is_installed(), "needs Slurm and munge")
    @unittest.skipUnless(PostgreSQL.INITDB, "needs PostgreSQL")
    @unittest.skipUnless(os.geteuid() == 0, "needs root, as whom Slurm runs its jobs")
    def test_sweep_on_slurm(self):
        server = PostgreSQL(self.tmp_dir)
        self.addCleanup(server.stop)
        cluster = slurm.Slurm(self.tmp_dir)
        self.addCleanup(cluster.stop)
        replacements = [("postgresql://sweep@db/studies", server.url()), ("/shared/sweep", f"{self.tmp_dir}/shared"),
                        ("--seeds 0-9", f"--seeds 0-1 --set epochs 1 --set validation 400 --bin {BIN}"),
                        ("--array=1-8", "--array=1-2")]
        output = self.follow("Run a sweep on Slurm", replacements, SLURM_CONF=str(cluster.configuration),
                             PYTHON=sys.executable)
        logs = "".join(path.read_text() for path in self.tmp_dir.glob("sweep-*_?.log"))
        trials = re.findall(r"^trial \d \((lr \S+), seed (\d)\): (\d+\.\d\d) %$", logs, re.MULTILINE)
        accuracies = {options: [value for other, _, value in sorted(trials) if other == options]
                      for options in ("lr 0.001", "lr 0.002")}
        self.assertEqual([len(values) for values in accuracies.values()], [2, 2], logs + output)
        rows = re.findall(r"^\| (lr \S+) \| .* \| 2 \| (\d+\.\d\d) (\d+\.\d\d) \|", output, re.MULTILINE)
        self.assertEqual({options: values for options, *values in rows}, accuracies, logs + output)

    @unittest.skipUnless(has("torch"), "needs torch")
    def test_load_in_python(self):
        self.assertIn("tensor([[", self.follow("Load a model in Python"))

    @unittest.skipUnless(has("torch"), "needs torch")
    def test_load_in_cpp_gives_the_probabilities_of_python(self):
        output = self.follow("Load a model in C++")
        in_cpp = [float(number) for number in re.findall(r"\d+\.\d+(?:e-?\d+)?", output.split("model: model.pt")[-1])]
        (_, snippet), _ = blocks("Load a model in Python")
        code, output = self.shell(f"python3 - <<'END'\n{snippet}\nprint(model(image).softmax(1).tolist())\nEND")
        self.assertEqual(code, 0, output)
        in_python = json.loads(output.splitlines()[-1])[0]
        # LibTorch prints a common factor and four digits.
        scale = in_python[0] / in_cpp[-len(in_python)]
        for ours, theirs in zip(in_cpp[-len(in_python):], in_python):
            self.assertAlmostEqual(scale * ours, theirs, delta=0.01)

    @unittest.skipUnless(has("torch", "safetensors"), "needs torch and safetensors")
    def test_hugging_face_folder(self):
        self.follow("Publish a model on Hugging Face")
        folder = self.tmp_dir / "digits"
        self.assertEqual(sorted(path.name for path in folder.iterdir()),
                         ["README.md", "config.json", "model.safetensors"])
        config = json.loads((folder / "config.json").read_text())
        self.assertEqual((config["inputs"], config["hidden"], config["classes"]), (784, [256, 128], 10))
        card = (folder / "README.md").read_text()
        correct = self.evaluate(self.tmp_dir / "model.pt")["correct"]
        self.assertIn(f"value: {correct / 1000:.4f}\n", card)
        # The code of the card, run in the folder, classifies as mnist-eval does.
        code = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1]
        images, labels = read_split(SUBSET)
        (folder / "images.bin").write_bytes(images.tobytes())
        (folder / "use.py").write_text(f"""{code}
import torch
images = torch.frombuffer(bytearray(open("images.bin", "rb").read()), dtype=torch.uint8).reshape(-1, 784) / 255
print(model(images).argmax(1).tolist())
""")
        status, output = self.shell("cd digits && python3 use.py")
        self.assertEqual(status, 0, output)
        self.assertEqual(sum(guess == label for guess, label in zip(json.loads(output), labels)), correct)

    @unittest.skipUnless(has("mlflow"), "needs mlflow")
    def test_mlflow_stores_options_metrics_and_files(self):
        without_telemetry = unittest.mock.patch.dict(os.environ, MLFLOW_DISABLE_TELEMETRY="true")
        without_telemetry.start()
        self.addCleanup(without_telemetry.stop)
        self.follow("Log a run to MLflow")
        import mlflow
        client = mlflow.MlflowClient(f"sqlite:///{self.tmp_dir}/mlflow.db")
        experiment = client.get_experiment_by_name("digits")
        (run,) = client.search_runs([experiment.experiment_id])
        self.assertEqual(run.info.run_name, "first")
        self.assertEqual(run.data.params["lr"], "0.001")
        losses = client.get_metric_history(run.info.run_id, "train_loss")
        epochs = [json.loads(line) for line in (self.tmp_dir / "runs/first/metrics.jsonl").read_text().splitlines()]
        self.assertEqual([(loss.step, loss.value) for loss in losses],
                         [(epoch["epoch"], epoch["train_loss"]) for epoch in epochs])
        files = {file.path for file in client.list_artifacts(run.info.run_id)}
        self.assertLessEqual({"config.toml", "metrics.jsonl"}, files)

    @unittest.skipUnless(has("wandb"), "needs wandb")
    def test_wandb_writes_an_offline_run(self):
        # Without these, it also writes into the home directory.
        places = {f"WANDB_{name}_DIR": str(self.tmp_dir / name) for name in ("CACHE", "CONFIG", "DATA")}
        output = self.follow("Log a run to Weights & Biases", **places)
        self.assertIn("wandb sync", output)
        (stored,) = self.tmp_dir.glob("wandb/offline-run-*/run-*.wandb")
        content = stored.read_bytes()
        for word in (b"train_loss", b"label-smoothing", b"digits"):
            self.assertIn(word, content)

    def test_every_section_is_run(self):
        source = pathlib.Path(__file__).read_text()
        for title in re.findall(r"^## (.*)$", PAGE, re.MULTILINE):
            self.assertIn(f'follow("{title}"', source)


if __name__ == "__main__":
    unittest.main()
