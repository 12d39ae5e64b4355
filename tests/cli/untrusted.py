"""mnist-predict and mnist-export read good files and reject broken ones; also run under sanitizers."""

import json
import random
import struct
import unittest

from programs import ROOT, ProgramTest, run

SEEDS = ROOT / "tests/fuzz/seeds"
# What tells a sanitizer's finding from an error message: sanitizers exit with 1 by default.
SANITIZERS = {"ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "exitcode=99"}


def model_bytes(widths=(784, 8, 10)):
    """Returns a safetensors file with random parameters."""
    header, data = {}, b""
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        for name, shape in ((f"{2 * layer}.weight", [outputs, inputs]), (f"{2 * layer}.bias", [outputs])):
            count = shape[0] * (shape[1] if len(shape) == 2 else 1)
            values = [random.Random(name).uniform(-0.1, 0.1) for _ in range(count)]
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * count]}
            data += struct.pack(f"<{count}f", *values)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def broken(content):
    """Yields damaged copies of a file: cut short, with bytes changed, and with bytes repeated."""
    size = len(content)
    for cut in {0, 1, size // 3, size // 2, size - 1}:
        yield content[:cut]
    for position in {*range(0, min(size, 64), 4), size // 2, size - 1}:
        yield content[:position] + bytes([content[position] ^ 0x81]) + content[position + 1:]
    yield content + content
    yield content[:size // 2] + b"\xff" * 64 + content[size // 2 + 64:]


class Untrusted(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = self.tmp_dir / "model.safetensors"
        self.model.write_bytes(model_bytes())

    def check(self, program, *flags):
        """Runs the program; returns whether it accepted its input. It may reject it in one line only."""
        result = run(program, *flags, "--quiet", environment=SANITIZERS)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        if result.returncode == 1:
            self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
            self.assertTrue(result.stderr.startswith(f"{program}: error: "), result.stderr)
        return result.returncode == 0

    def check_broken(self, content, suffix, program, *flags):
        """Gives the program damaged copies of `content`; at least one of them must be rejected."""
        path = self.tmp_dir / f"broken{suffix}"
        accepted = 0
        copies = list(broken(content))
        for copy in copies:
            path.write_bytes(copy)
            accepted += self.check(program, *flags, path)
        self.assertLess(accepted, len(copies))

    def test_predict_reads_every_image_format(self):
        images = sorted((SEEDS / "image").iterdir())
        self.assertGreater(len(images), 10)
        for image in images:
            with self.subTest(image.name):
                self.assertTrue(self.check("mnist-predict", "--model", self.model, image))

    def test_predict_refuses_broken_images(self):
        for image in sorted((SEEDS / "image").iterdir()):
            with self.subTest(image.name):
                self.check_broken(image.read_bytes(), image.suffix, "mnist-predict", "--model", self.model)

    def test_export_writes_every_format(self):
        for source in (self.model, SEEDS / "pt/ours.pt"):
            for kind in ("onnx", "safetensors", "c"):
                with self.subTest(source=source.name, kind=kind):
                    self.assertTrue(self.check("mnist-export", "--model", source, "--to", kind,
                                               "--out", self.tmp_dir / "exported"))
        self.assertTrue(self.check("mnist-export", "--model", self.model, "--to", "html",
                                   "--out", self.tmp_dir / "page.html"))

    def test_export_refuses_broken_models(self):
        for source in (SEEDS / "safetensors/ours.safetensors", SEEDS / "pt/ours.pt", SEEDS / "pt/python.pt"):
            with self.subTest(source.name):
                self.check_broken(source.read_bytes(), source.suffix, "mnist-export", "--to", "c",
                                  "--out", self.tmp_dir / "model.h", "--model")


if __name__ == "__main__":
    unittest.main()
