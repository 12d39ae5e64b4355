"""The shell scripts and the CMake configuration when something is missing or broken."""

import os
import pathlib
import shutil
import subprocess
import unittest

from programs import BIN, FULL, ROOT, SUBSET, ProgramTest
from script_support import call, path_with_stubs
from setup_script import Setup  # noqa: F401, a test case of its own


class LibTorchIsMissingOrOld(ProgramTest):
    def configure(self, **variables):
        """Configures a copy of the build files that has no .venv next to it."""
        source = self.tmp_dir / "source"
        (source / "scripts").mkdir(parents=True)
        shutil.copytree(ROOT / "scripts/cmake", source / "scripts/cmake")
        # Keep only the package lookup and the search for LibTorch, which need no sources.
        text = (ROOT / "CMakeLists.txt").read_text()
        (source / "CMakeLists.txt").write_text(
            text[: text.index("# Flags for our own code")] + "include(scripts/cmake/find_libtorch.cmake)\n")
        return call("cmake", "-S", source, "-B", self.tmp_dir / "build",
                    PATH=path_with_stubs(self.tmp_dir / "bin", python3="exit 0"), **variables)

    def test_missing_libtorch_points_to_setup(self):
        process = self.configure()
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("LibTorch was not found", process.stderr)
        self.assertIn("scripts/setup.sh", process.stderr)

    def test_old_libtorch_is_rejected_with_its_version(self):
        torch = self.tmp_dir / "torch"
        header = torch / "include/torch/csrc/api/include/torch/version.h"
        header.parent.mkdir(parents=True)
        header.write_text("".join(f"#define TORCH_VERSION_{part}\n" for part in ("MAJOR 2", "MINOR 3", "PATCH 1")))
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
        shutil.copytree(ROOT / "scripts", self.tmp_dir / "scripts")

    def fetch(self, *arguments, **variables):
        return call(self.tmp_dir / "scripts/fetch_data.sh", *arguments, **variables)

    def test_unknown_data_set_prints_usage(self):
        process = self.fetch("cifar")
        self.assertEqual(process.returncode, 2)
        self.assertIn("usage: scripts/fetch_data.sh mnist|fashion-mnist|all", process.stderr)

    @unittest.skipIf(FULL == SUBSET, "the full set has not been fetched")
    def test_valid_files_are_kept(self):
        shutil.copytree(FULL, self.tmp_dir / "data/mnist")
        before = {path.name: path.stat().st_mtime_ns for path in (self.tmp_dir / "data/mnist").iterdir()}
        process = self.fetch("mnist")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("data/mnist: up to date", process.stderr)
        after = {path.name: path.stat().st_mtime_ns for path in (self.tmp_dir / "data/mnist").iterdir()}
        self.assertEqual(before, after)

    def test_fails_without_leftovers_when_every_source_fails(self):
        process = self.fetch("mnist", PATH=path_with_stubs(self.tmp_dir / "bin", python3="exit 1", npm="exit 1"))
        self.assertEqual(process.returncode, 1)
        self.assertIn("no source of mnist worked", process.stderr)
        self.assertFalse((self.tmp_dir / "data/mnist").exists())

    def test_rejects_files_with_the_wrong_checksum(self):
        # A mirror that serves the wrong content for every file.
        process = self.fetch("mnist", PATH=path_with_stubs(
            self.tmp_dir / "bin", python3='echo wrong | gzip > "$3"', npm="exit 1"))
        self.assertEqual(process.returncode, 1)
        self.assertIn("train-images-idx3-ubyte has the wrong SHA-256 there", process.stderr)
        self.assertFalse((self.tmp_dir / "data/mnist").exists())


class TrainScript(ProgramTest):
    """scripts/train.sh in a project that is already built."""

    def setUp(self):
        super().setUp()
        self.project = self.tmp_dir / "project"
        shutil.copytree(ROOT / "scripts", self.project / "scripts")
        (self.project / "scripts/setup.sh").write_text("")
        (self.project / "build/release").mkdir(parents=True)
        (self.project / "build/release/bin").symlink_to(BIN)
        (self.project / "data").mkdir()
        (self.project / "data/small").symlink_to(SUBSET)
        self.elsewhere = self.tmp_dir / "elsewhere"
        self.elsewhere.mkdir()
        self.cmake_log = self.tmp_dir / "cmake.log"
        self.path = path_with_stubs(self.tmp_dir / "bin", cmake=f'echo "$@" >>{self.cmake_log}')

    def train(self, *flags):
        """Trains for one epoch, called from another directory."""
        process = subprocess.run(
            [self.project / "scripts/train.sh", "--epochs", "1", "--hidden", "16", "--device", "cpu", *flags],
            capture_output=True, text=True, cwd=self.elsewhere, timeout=300, env=os.environ | {"PATH": self.path})
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def test_paths_are_relative_to_the_current_directory(self):
        (self.elsewhere / "mine").symlink_to(SUBSET)
        process = self.train("--data", "mine", "--out", "here.pt")
        self.assertTrue((self.elsewhere / "here.pt").exists())
        self.assertIn(f"model: {self.elsewhere}/here.pt", process.stderr)

    def test_the_data_of_a_recipe_are_the_projects(self):
        recipe = self.project / "recipe.toml"
        recipe.write_text('data = "data/small"\n')
        process = self.train("--config", recipe)
        self.assertIn(f"--data {self.project}/data/small", process.stderr)

    def test_it_builds_the_programs_only(self):
        (self.elsewhere / "mine").symlink_to(SUBSET)
        self.train("--data", "mine")
        (build,) = (line for line in self.cmake_log.read_text().splitlines() if line.startswith("--build"))
        self.assertEqual(build.split("--target ")[1].split(),
                         ["mnist-train", "mnist-eval", "mnist-predict", "mnist-export"])


class Help(ProgramTest):
    def test_every_script_explains_itself_without_doing_anything(self):
        scripts = [*(ROOT / "scripts").glob("*.sh"), *(ROOT / "scripts").glob("*.py"), *(ROOT / "bench").glob("*.sh")]
        stub = 'echo "called $0 $*" >&2; exit 1'
        path = path_with_stubs(self.tmp_dir / "bin", **{"cmake": stub, "apt_get": stub, "ctest": stub, "git": stub})
        for script in scripts:
            if not os.access(script, os.X_OK):
                continue  # sourced by other scripts
            for flag in ("-h", "--help"):
                with self.subTest(script.name, flag=flag):
                    process = call(script, flag, PATH=path)
                    self.assertEqual((process.returncode, process.stderr), (0, ""))
                    self.assertIn("usage: ", process.stdout)
                    self.assertIn(script.name, process.stdout)


class Install(ProgramTest):
    def test_installed_programs_run(self):
        build = pathlib.Path(BIN).parent
        process = call("cmake", "--install", build, "--prefix", self.tmp_dir / "installed")
        self.assertEqual(process.returncode, 0, process.stderr)
        for program in ("mnist-train", "mnist-eval"):
            process = call(self.tmp_dir / "installed/bin" / program, "--version")
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertIn("LibTorch", process.stdout)


if __name__ == "__main__":
    unittest.main()
