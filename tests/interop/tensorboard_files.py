"""TensorBoard reads a run's event files and shows them in its pages."""

import subprocess
import sys
import time
import unittest

import browser
from programs import SUBSET, ProgramTest, read_metrics

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as error:
    print(f"{error}: skipped")
    sys.exit(77)


class TensorBoardFiles(ProgramTest):
    def train(self, *flags):
        self.succeed("mnist-train", "--data", SUBSET, "--hidden", "20", "--validation", 200, "--device",
                     "cpu", "--out", self.tmp_dir / "m.pt", *flags)

    def events(self):
        everything = {"scalars": 0, "images": 0, "histograms": 0, "tensors": 0}
        accumulator = EventAccumulator(str(self.tmp_dir / "run"), size_guidance=everything)
        accumulator.Reload()
        return accumulator

    def test_the_event_accumulator_reads_every_kind_of_event(self):
        self.train("--epochs", 4, "--run-dir", self.tmp_dir / "run")
        events = self.events()
        epochs = read_metrics(self.tmp_dir / "run")
        for tag, key in (("loss/train", "train_loss"), ("loss/validation", "validation_loss"),
                         ("accuracy/train", "train_accuracy"), ("learning_rate", "learning_rate"),
                         ("accuracy/validation", "validation_accuracy")):
            self.assertEqual([event.step for event in events.Scalars(tag)], [e["step"] for e in epochs])
            for event, epoch in zip(events.Scalars(tag), epochs):
                self.assertAlmostEqual(event.value, epoch[key], places=6)
        for event, epoch in zip(events.Scalars("gradient_norm/2.weight"), epochs):
            self.assertAlmostEqual(event.value, epoch["gradient_norm"]["2.weight"], places=5)
        histogram = events.Histograms("parameters/0.weight")[-1].histogram_value
        self.assertEqual(histogram.num, 20 * 784)
        self.assertAlmostEqual(sum(histogram.bucket), 20 * 784, places=3)
        self.assertEqual(len(events.Images("first_layer_weights")), 3)  # epochs 1, 2 and 4
        mistakes = events.Images("most_confident_mistakes")[0]
        self.assertTrue(mistakes.encoded_image_string.startswith(b"\x89PNG"))
        self.assertIn(b"--epochs | 4", events.Tensors("options")[0].tensor_proto.string_val[0])

    def test_a_resumed_run_has_each_epoch_once(self):
        """The run resumes from the end of epoch 2, although events of epoch 3 and of the end exist."""
        run = self.tmp_dir / "run"
        self.train("--epochs", 3, "--run-dir", run)
        steps = [event.step for event in self.events().Scalars("loss/train")]
        self.assertEqual(len(steps), 3)
        time.sleep(1.1)  # event files are named by the second
        self.succeed("mnist-train", "--resume", run / "checkpoint.previous.safetensors", "--epochs", 4)
        self.assertEqual(len(list(run.glob("events.out.tfevents.*"))), 2)
        per_epoch = steps[0]
        for tag in ("loss/train", "learning_rate", "gradient_norm/0.weight"):
            self.assertEqual([event.step for event in self.events().Scalars(tag)],
                             [per_epoch * epoch for epoch in (1, 2, 3, 4)])
        self.assertEqual([event.step for event in self.events().Scalars("accuracy/test")], [4 * per_epoch])

    def test_every_tab_shows_the_run(self):
        self.train("--epochs", 2, "--run-dir", self.tmp_dir / "run")
        page = browser.start()
        self.addCleanup(page.quit)
        server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", self.tmp_dir / "run",
                                   "--host", "127.0.0.1", "--port", "0"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        line = next(line for line in server.stderr if " at http://" in line)
        address = line.split(" at ")[1].split()[0]
        for tab, words in (("timeseries", "accuracy/validation"), ("images", "most_confident_mistakes"),
                           ("histograms", "parameters/0.weight"), ("text", "label-smoothing"),
                           ("hparams", "clip-norm")):
            page.get(f"{address}#{tab}")
            page.refresh()
            self.assertTrue(self.appears(page, words), f"{words} is not on {tab}")

    def appears(self, page, words, seconds=60):
        """Waits until the page contains the words; False after `seconds`."""
        script = """
            const text = root => [...root.querySelectorAll('*')].map(element =>
              (element.shadowRoot ? text(element.shadowRoot) : '') +
              (element.children.length ? '' : element.textContent)).join(' ');
            return text(document.body) + document.body.innerText;"""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # TensorBoard splits long names into several elements.
            if words in "".join(page.execute_script(script).split()):
                return True
            time.sleep(0.5)
        return False


if __name__ == "__main__":
    unittest.main()
