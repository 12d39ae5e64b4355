"""An exported network on a microcontroller: compiled for a Cortex-M3, run in QEMU."""

import shutil
import subprocess
import unittest

import programs
from programs import ROOT, SUBSET, ProgramTest

COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
IMAGES = 300
# The memory of the board mps2-an385. The processor starts at entry 1 of the table at address 0.
LINKER_SCRIPT = """
MEMORY { flash : ORIGIN = 0, LENGTH = 4M  ram : ORIGIN = 0x20000000, LENGTH = 4M }
SECTIONS {
  .text : { LONG(ORIGIN(ram) + LENGTH(ram)) LONG(_start | 1) *(.init) *(.fini)
    *(.text* .rodata* .eh_frame*) } > flash
  .exidx : { __exidx_start = .; *(.ARM.exidx*) __exidx_end = .; } > flash
  .data : { *(.data*) __init_array_start = .; *(.init_array*) __init_array_end = .; *(.fini_array*) } > ram
  .bss : { __bss_start__ = .; *(.bss* COMMON) __bss_end__ = .; __end__ = .; end = .; } > ram
}
"""
PROGRAM = r"""
#include <stdio.h>
#include "model.h"
int main(void) {
  FILE* file = fopen("images", "rb");
  unsigned char image[MNIST_INPUTS];
  while (fread(image, 1, MNIST_INPUTS, file) == MNIST_INPUTS) {
    float pixels[MNIST_INPUTS], probabilities[MNIST_CLASSES];
    for (int i = 0; i < MNIST_INPUTS; ++i) pixels[i] = (float)image[i] / 255.0f;
    printf("%d\n", mnist_predict(pixels, probabilities));
  }
  return 0;
}
"""


@unittest.skipUnless(shutil.which(COMPILER) and shutil.which(EMULATOR), f"needs {COMPILER} and {EMULATOR}")
class Microcontroller(ProgramTest):
    def run_in(self, *command):
        return subprocess.run([str(word) for word in command], cwd=self.tmp_dir, check=True, capture_output=True,
                              text=True, timeout=300).stdout

    def build(self):
        (self.tmp_dir / "board.ld").write_text(LINKER_SCRIPT)
        (self.tmp_dir / "main.c").write_text(PROGRAM)
        self.run_in(COMPILER, "-mcpu=cortex-m3", "-mthumb", "-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic",
                    "-Wconversion", "-Werror", "--specs=rdimon.specs", "-T", "board.ld", "main.c", "-o", "main.elf", "-lm")

    def test_guesses_are_those_of_the_same_header_here(self):
        data = self.tmp_dir / "halved"
        self.run_in(ROOT / "scripts/halve_images.py", SUBSET, data)
        self.succeed("mnist-train", "--data", data, "--hidden", "72,48", "--epochs", 3, "--device", "cpu", "--out",
                     self.tmp_dir / "model.pt")
        self.succeed("mnist-export", "--model", self.tmp_dir / "model.pt", "--to", "c", "--precision", "int8")
        images, labels = programs.read_split(data)
        (self.tmp_dir / "images").write_bytes(images[:IMAGES].tobytes())
        self.build()
        self.run_in("cc", "-std=c99", "main.c", "-o", "main", "-lm")
        expected = self.run_in("./main").split()
        found = self.run_in(EMULATOR, "-M", "mps2-an385", "-nographic", "-semihosting", "-kernel", "main.elf").split()
        self.assertEqual(found, expected)
        right = sum(int(guess) == label for guess, label in zip(found, labels))
        self.assertGreater(right, 0.6 * IMAGES)


if __name__ == "__main__":
    unittest.main()
