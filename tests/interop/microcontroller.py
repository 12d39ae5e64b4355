"""examples/microcontroller: an exported network, compiled for a Cortex-M3 and run in QEMU."""

import shutil
import subprocess
import unittest

import programs
from programs import ROOT, SUBSET, ProgramTest

COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
IMAGES = 300


@unittest.skipUnless(shutil.which(COMPILER) and shutil.which(EMULATOR), f"needs {COMPILER} and {EMULATOR}")
class Microcontroller(ProgramTest):
    def run_in(self, *command):
        return subprocess.run([str(word) for word in command], cwd=self.tmp_dir, check=True, capture_output=True,
                              text=True, timeout=300).stdout

    def test_guesses_are_those_of_the_same_header_here(self):
        data = self.tmp_dir / "halved"
        self.run_in(ROOT / "scripts/halve_images.py", SUBSET, data)
        self.succeed("mnist-train", "--data", data, "--hidden", "72,48", "--epochs", 3, "--device", "cpu", "--out",
                     self.tmp_dir / "model.pt")
        self.succeed("mnist-export", "--model", self.tmp_dir / "model.pt", "--to", "c", "--precision", "int8")
        images, labels = programs.read_split(data)
        (self.tmp_dir / "images").write_bytes(images[:IMAGES].tobytes())
        shutil.copytree(ROOT / "examples/microcontroller", self.tmp_dir, dirs_exist_ok=True)
        self.run_in("make", "main", "main.elf")
        expected = self.run_in("./main").split()
        found = self.run_in("make", "--silent", "run").split()
        self.assertEqual(found, expected)
        right = sum(int(guess) == label for guess, label in zip(found, labels))
        self.assertGreater(right, 0.6 * IMAGES)


if __name__ == "__main__":
    unittest.main()
