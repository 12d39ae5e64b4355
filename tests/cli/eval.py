"""End-to-end tests of mnist-eval."""

import unittest

import programs
from programs import FASHION_SUBSET, SUBSET, ProgramTest


class Evaluation(ProgramTest):
    def test_agrees_with_the_evaluation_after_training(self):
        model = self.tmp_dir / "m.pt"
        trained = self.succeed("mnist-train", "--data", SUBSET, "--epochs", 2, "--device", "cpu", "--out", model)
        report = self.evaluate(model, SUBSET, "--device", "cpu")
        self.assertEqual(list(report), ["model", "data", "split", "examples", "correct", "accuracy",
                                        "loss", "classes", "confusion"])
        self.assertEqual((report["examples"], report["split"]), (1000, "test"))
        self.assertEqual(report["accuracy"], report["correct"] / 1000)
        self.assertIn(f"test accuracy {100 * report['accuracy']:.2f} %", trained.stdout)
        self.assertIn(f"test loss {report['loss']:.4f}", trained.stdout)
        self.assertEqual(sum(map(sum, report["confusion"])), 1000)
        self.assertEqual(sum(report["confusion"][k][k] for k in range(10)), report["correct"])
        self.assertEqual(report["classes"][7]["support"], sum(report["confusion"][7]))

    def test_reports_the_training_split_as_text(self):
        text = self.succeed("mnist-eval", "--model", self.train_quickly(), "--data", SUBSET, "--split", "train").stdout
        self.assertIn("train split of", text)
        self.assertIn("of 2,000)", text)
        self.assertIn("precision", text)

    def test_class_names_come_from_the_data(self):
        model = self.tmp_dir / "m.pt"
        self.succeed("mnist-train", "--data", FASHION_SUBSET, "--epochs", 1, "--hidden", 8, "--out", model)
        self.assertIn("Ankle boot", self.succeed("mnist-eval", "--model", model, "--data", FASHION_SUBSET).stdout)

    def test_accuracy_below_the_required_one_exits_with_3(self):
        model = self.train_quickly()
        percent = 100 * self.evaluate(model)["accuracy"]
        self.succeed("mnist-eval", "--model", model, "--data", SUBSET, "--require-accuracy", percent)
        process = programs.run("mnist-eval", "--model", model, "--data", SUBSET, "--require-accuracy", 99.9)
        self.assertEqual(process.returncode, 3)
        self.assertIn(f"accuracy {percent:.2f} % is below the required 99.9 %", process.stderr)

    def test_model_with_another_number_of_classes_is_rejected(self):
        data = self.tmp_dir / "data"
        data.mkdir()
        for path in SUBSET.iterdir():
            (data / path.name).write_bytes(path.read_bytes())
        (data / "classes.txt").write_text("\n".join(f"class {i}" for i in range(47)))
        self.fail_with(1, "the network is 784-16-10 (relu), but the data in", "mnist-eval",
                       "--model", self.train_quickly(), "--data", data)

    def test_files_that_are_not_models_are_rejected(self):
        model = self.tmp_dir / "m.pt"
        self.fail_with(1, "m.pt: cannot be opened", "mnist-eval", "--model", model, "--data", SUBSET)
        for content in (b"", b"PK\x03\x04", b"\0" * 100, b"hello", b"\xff" * 16):
            model.write_bytes(content)
            self.fail_with(1, "m.pt: ", "mnist-eval", "--model", model, "--data", SUBSET)

    def test_invalid_values_are_usage_errors(self):
        self.fail_with(2, "--split: expected train or test, found 'all'", "mnist-eval", "--split", "all")
        self.fail_with(2, "--device", "mnist-eval", "--device", "tpu")


if __name__ == "__main__":
    unittest.main()
