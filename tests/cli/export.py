"""End-to-end tests of mnist-export: the intended readers load what it writes."""

import json
import struct
import subprocess
import unittest

import programs
from programs import SUBSET, ProgramTest

C_PROGRAM = r"""
#include <stdio.h>
#include "model.h"
int main(int argc, char** argv) {
  FILE* file = fopen(argv[argc - 1], "rb");
  unsigned char image[MNIST_INPUTS];
  while (fread(image, 1, MNIST_INPUTS, file) == MNIST_INPUTS) {
    float pixels[MNIST_INPUTS], probabilities[MNIST_CLASSES];
    for (int i = 0; i < MNIST_INPUTS; ++i) pixels[i] = (float)image[i] / 255.0f;
    int best = mnist_predict(pixels, probabilities);
    printf("%s %.6f\n", mnist_class_names[best], (double)probabilities[best]);
  }
  return 0;
}
"""


class Export(ProgramTest):
    images, labels = programs.read_split(SUBSET)

    def model(self, *flags):
        path = self.tmp_dir / "model.pt"
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 3, "--device", "cpu", "--out", path,
                     *flags)
        return path

    def accuracy(self, model):
        return self.evaluate(model)["accuracy"]

    def logits_in_python(self, model, activation="ReLU"):
        import torch
        state = torch.load(model, weights_only=True)
        biases = [tensor for name, tensor in state.items() if name.endswith("bias")]
        network = programs.torch_mlp([self.images.shape[1], *map(len, biases)], activation)
        network.load_state_dict(state)
        return network(torch.from_numpy(self.images.copy()) / 255).detach().numpy()

    def predictions_in_c(self, precision):
        """Compiles the exported header; returns the class name and probability for each test image."""
        header = self.tmp_dir / "model.h"
        self.succeed("mnist-export", "--model", self.tmp_dir / "model.pt", "--to", "c",
                     "--precision", precision)
        source = self.tmp_dir / "main.c"
        source.write_text(C_PROGRAM)
        subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror",
                        "-O2", source, "-o", self.tmp_dir / "main", "-lm"], check=True)
        (self.tmp_dir / "images").write_bytes(self.images.tobytes())
        output = subprocess.run([self.tmp_dir / "main", self.tmp_dir / "images"], check=True,
                                capture_output=True, text=True).stdout
        self.assertIn("#include <math.h>", header.read_text())
        return [line.split() for line in output.splitlines()]

    def test_onnxruntime_computes_the_same_logits(self):
        try:
            import onnx
            import onnxruntime
        except ImportError as error:
            self.skipTest(str(error))
        for activation, flags in (("ReLU", []), ("Tanh", ["--activation", "tanh", "--hidden", "20,20"]),
                                  ("Sigmoid", ["--activation", "sigmoid"]), ("ReLU", ["--hidden", "none"])):
            model = self.model(*flags)
            path = self.tmp_dir / "model.onnx"
            output = self.succeed("mnist-export", "--model", model, "--to", "onnx").stdout
            self.assertEqual(output, f"{path}\n")
            onnx.checker.check_model(onnx.load(path), full_check=True)
            session = onnxruntime.InferenceSession(path)
            pixels = self.images.astype("float32") / 255
            found = session.run(None, {"pixels": pixels})[0]
            expected = self.logits_in_python(model, activation)
            self.assertLess(abs(found - expected).max(), 1e-4)
            self.assertTrue((found.argmax(1) == expected.argmax(1)).all())
            names = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
            self.assertEqual(names, [str(k) for k in range(10)])

    def test_c_header_predicts_the_same_classes(self):
        for flags in ([], ["--hidden", "none"], ["--hidden", "30,20,10", "--activation", "tanh"]):
            model = self.model(*flags)
            predictions = self.predictions_in_c("f32")
            expected = self.logits_in_python(model, "Tanh" if "tanh" in flags else "ReLU")
            self.assertEqual([int(name) for name, _ in predictions], expected.argmax(1).tolist())

    def test_int8_c_header_is_as_accurate_as_reported(self):
        model = self.model()
        output = self.succeed("mnist-export", "--model", model, "--to", "c", "--precision", "int8",
                              "--data", SUBSET).stdout
        predictions = self.predictions_in_c("int8")
        right = sum(int(name) == label for (name, _), label in zip(predictions, self.labels))
        self.assertIn(f"test accuracy of the exported model {100 * right / len(self.labels):.2f} %", output)
        self.assertAlmostEqual(right / len(self.labels), self.accuracy(model), delta=0.005)
        self.assertLess((self.tmp_dir / "model.h").stat().st_size, 1_200_000)

    def test_safetensors_copy_is_as_accurate(self):
        model = self.model()
        self.succeed("mnist-export", "--model", model, "--to", "safetensors")
        self.assertEqual(self.accuracy(self.tmp_dir / "model.safetensors"), self.accuracy(model))

    def test_failures_leave_no_output(self):
        model = self.model()
        before = model.read_bytes()
        self.fail_with(1, "none.pt: cannot be opened", "mnist-export", "--model", self.tmp_dir / "none.pt")
        self.fail_with(2, "missing/x.onnx", "mnist-export", "--model", model, "--out",
                       self.tmp_dir / "missing/x.onnx")
        self.fail_with(2, "--precision int8 cannot be combined with --to onnx", "mnist-export", "--precision", "int8")
        oblong = self.tmp_dir / "oblong.safetensors"
        header = json.dumps({"0.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                             "0.bias": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]}}).encode()
        oblong.write_bytes(struct.pack("<Q", len(header)) + header + bytes(32))
        self.fail_with(1, "the network takes 3 inputs, which do not form a square image", "mnist-export",
                       "--model", oblong, "--to", "html")
        self.assertEqual(sorted(path.name for path in self.tmp_dir.iterdir()), ["model.pt", "oblong.safetensors"])
        self.assertEqual(model.read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
