"""The installed library, used as others use it: the examples build against it and run."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from programs import BIN, ROOT, SUBSET


def call(*command):
    """The standard output of a command that must succeed."""
    process = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    if process.returncode != 0:
        raise AssertionError(f"{command}: exit code {process.returncode}\n{process.stdout}{process.stderr}")
    return process.stdout


def library_path(program):
    """The directories that a program searches for its shared libraries."""
    found = re.search(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", call("readelf", "-d", program))
    return found[1].rstrip(":").split(":") if found else []


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="mnist-test-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = pathlib.Path(directory.name)
        call("cmake", "--install", BIN.parent, "--prefix", cls.directory / "installed")
        cls.prefix = (cls.directory / "installed").rename(cls.directory / "moved")
        # The installed programs say where LibTorch is.
        (libraries,) = library_path(cls.prefix / "bin/mnist-train")
        cls.libtorch = pathlib.Path(libraries).parent

    def build(self, name):
        """The program of examples/`name`, configured and built outside of the project."""
        build = self.directory / name
        call("cmake", "-S", ROOT / "examples" / name, "-B", build,
             f"-DCMAKE_PREFIX_PATH={self.prefix};{self.libtorch}")
        call("cmake", "--build", build)
        return build / name

    def test_minimal_learns(self):
        program = self.build("minimal")
        output = call(program, SUBSET, 1)
        self.assertEqual(output.count("\n"), 1, output)
        self.assertGreater(float(re.search(r"test accuracy ([\d.]+) %", output)[1]), 70)
        self.assertEqual(library_path(program), [str(self.libtorch / "lib")])

        process = subprocess.run([program, self.directory / "nowhere"], capture_output=True, text=True)
        self.assertEqual(process.returncode, 1)
        self.assertIn("nowhere", process.stderr)

    def test_custom_network_learns_with_the_fused_engine_and_its_callback(self):
        program = self.build("custom_network")
        model = self.directory / "custom.pt"
        *curve, result = call(program, SUBSET, model).splitlines()
        self.assertEqual(curve[0], "epoch,training_loss,validation_accuracy")
        self.assertEqual([line.split(",")[0] for line in curve[1:]], ["1", "2", "3", "4", "5"])
        self.assertGreater(float(re.search(r"test accuracy ([\d.]+) %", result)[1]), 70)
        self.assertIn("fused on cpu", result)
        evaluated = call(self.prefix / "bin/mnist-eval", "--model", model, "--data", SUBSET, "--json")
        self.assertAlmostEqual(100 * json.loads(evaluated)["accuracy"],
                               float(re.search(r"test accuracy ([\d.]+) %", result)[1]), delta=0.11)
        self.assertEqual(library_path(program), [str(self.libtorch / "lib")])

    def test_package_names_no_directory_of_the_build_machine(self):
        files = sorted(self.prefix.rglob("cmake/mnist/*.cmake"))
        self.assertIn("mnist-config.cmake", [path.name for path in files])
        for path in files:
            with self.subTest(file=path.name):
                text = path.read_text()
                self.assertNotIn(str(ROOT), text)
                self.assertNotIn(str(self.libtorch), text)
                self.assertNotIn("-Werror", text)

    def test_package_refuses_a_libtorch_of_another_minor_version(self):
        other = self.directory / "other_libtorch"
        (other / "include/torch/headeronly").mkdir(parents=True)
        (other / "include/torch/script.h").touch()
        (other / "include/torch/headeronly/version.h").write_text(
            "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 999\n#define TORCH_VERSION_PATCH 0\n")
        (other / "lib").mkdir()
        (other / "lib/libtorch.so").touch()
        process = subprocess.run(
            ["cmake", "-S", ROOT / "examples/minimal", "-B", self.directory / "refused",
             f"-DCMAKE_PREFIX_PATH={self.prefix};{other}"], capture_output=True, text=True)
        self.assertNotEqual(process.returncode, 0)
        self.assertRegex(" ".join(process.stderr.split()), r"is 2\.999\.0, but mnist was built with 2\.\d+")

    def test_recipes_are_installed(self):
        for recipe in sorted((ROOT / "recipes").glob("*.toml")):
            self.assertTrue((self.prefix / "share/mnist-trainer/recipes" / recipe.name).is_file())


class Warnings(unittest.TestCase):
    def test_are_errors_only_on_request(self):
        with tempfile.TemporaryDirectory(prefix="mnist-test-") as build:
            for option, are_errors in (("-UMNIST_WERROR", False), ("-DMNIST_WERROR=ON", True)):
                with self.subTest(option=option):
                    call("cmake", "-S", ROOT, "-B", build, option, "-DMNIST_WITH_LIBTORCH=OFF", "-DMNIST_WITH_CUDA=OFF",
                         "-DMNIST_BUILD_TESTS=OFF", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
                    commands = pathlib.Path(build, "compile_commands.json").read_text()
                    self.assertIn("-Wall", commands)
                    self.assertEqual("-Werror" in commands, are_errors)


if __name__ == "__main__":
    unittest.main()
