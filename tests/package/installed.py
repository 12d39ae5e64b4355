"""The installed tree: mnist-fetch, and what comes with the programs; and the development container's settings."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from programs import BIN, FULL, ROOT, SUBSET


class Linking(unittest.TestCase):
    def test_programs_find_libstdcxx_before_libtorch(self):
        """Some builds of LibTorch export functions of another libstdc++; see scripts/cmake/find_libtorch.cmake."""
        for name in ("mnist-train", "mnist-eval"):
            dynamic = subprocess.run(["readelf", "-d", BIN / name], check=True, capture_output=True, text=True).stdout
            libraries = re.findall(r"\(NEEDED\).*\[(lib[^.]+)", dynamic)
            first = next(i for i, library in enumerate(libraries) if library.startswith("libtorch"))
            self.assertLess(libraries.index("libstdc++"), first, libraries)


class InstalledFetcher(unittest.TestCase):
    """mnist-fetch works on its own, and never overwrites files that it did not write."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="mnist-test-")
        cls.addClassCleanup(directory.cleanup)
        cls.prefix = pathlib.Path(directory.name)
        subprocess.run(["cmake", "--install", BIN.parent, "--prefix", cls.prefix, "--component", "programs"],
                       check=True, capture_output=True)

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="mnist-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        stubs = self.directory / "stubs"
        stubs.mkdir()
        for name in ("python3", "curl", "wget", "npm", "apt-get"):  # no network in tests
            (stubs / name).write_text("#!/bin/sh\nexit 1\n")
            (stubs / name).chmod(0o755)

    def fetch(self, *arguments, **variables):
        environment = {k: v for k, v in os.environ.items() if k != "MNIST_DATA"}
        path = f"{self.directory}/stubs:{environment['PATH']}"
        return subprocess.run([self.prefix / "bin/mnist-fetch", *map(str, arguments)], capture_output=True,
                              text=True, cwd=self.directory, env=environment | {"PATH": path} | variables)

    def test_default_folder_is_below_the_current_one(self):
        process = self.fetch("mnist")
        self.assertEqual(process.returncode, 1)
        self.assertIn("put the four raw files into data/mnist yourself", process.stderr)
        self.assertFalse((self.directory / "data").exists())

    @unittest.skipIf(FULL == SUBSET, "the full set has not been fetched")
    def test_finds_existing_files_by_argument_variable_and_default(self):
        shutil.copytree(FULL, self.directory / "data/mnist")
        shutil.copytree(FULL, self.directory / "elsewhere")
        for arguments, variables in (([], {}), (["elsewhere"], {}), ([], {"MNIST_DATA": "elsewhere"})):
            process = self.fetch("mnist", *arguments, **variables)
            self.assertEqual(process.returncode, 0, process.stderr)
            expected = "elsewhere" if arguments or variables else "data/mnist"
            self.assertIn(f"   {expected}: up to date", process.stderr)

    def test_other_files_are_never_overwritten(self):
        (self.directory / "own").mkdir()
        mine = self.directory / "own/train-labels-idx1-ubyte"
        mine.write_bytes(b"my labels")
        process = self.fetch("mnist", "own")
        self.assertEqual(process.returncode, 1)
        self.assertIn("own/train-labels-idx1-ubyte is not the file of mnist: its SHA-256 differs", process.stderr)
        self.assertEqual(mine.read_bytes(), b"my labels")

    def test_usage(self):
        for arguments in ([], ["cifar"], ["all", "folder"], ["mnist", "a", "b"]):
            process = self.fetch(*arguments)
            self.assertEqual(process.returncode, 2, process.stderr)
            self.assertIn("usage: mnist-fetch mnist|fashion-mnist|all", process.stderr)

    def test_programs_come_with_what_belongs_to_them(self):
        files = {str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*")}
        for program in ("mnist-train", "mnist-eval", "mnist-predict", "mnist-export"):
            self.assertLessEqual({f"bin/{program}", f"share/man/man1/{program}.1",
                                  f"share/bash-completion/completions/{program}"}, files)
        for recipe in (ROOT / "recipes").glob("*.toml"):
            self.assertIn(f"share/mnist-trainer/recipes/{recipe.name}", files)
        self.assertIn("share/doc/mnist-trainer/LICENSE", files)
        self.assertFalse([file for file in files if file.endswith((".a", ".hpp", ".cmake"))])


class Container(unittest.TestCase):
    def test_development_container_names_a_stage_of_the_dockerfile(self):
        folder = ROOT / ".devcontainer"
        settings = json.loads((folder / "devcontainer.json").read_text())
        dockerfile = (folder / settings["build"]["dockerfile"]).read_text()
        self.assertIn(settings["build"]["target"], re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.MULTILINE))
        self.assertEqual(dockerfile.strip().splitlines()[-3], "USER mnist")


if __name__ == "__main__":
    unittest.main()
