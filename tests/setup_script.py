"""Tests of scripts/setup.sh, which tests/cli/scripts.py runs: machines that lack something."""

import contextlib
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import unittest

from programs import ROOT, ProgramTest
from script_support import call, write_stubs

# A Python without packages of its own.
PYTHON = f"{os.path.realpath(sys.executable)} -S"

# Commands that scripts/setup.sh needs on every system, and that tests do not replace.
TOOLS = ("awk", "basename", "bash", "cat", "cut", "dirname", "env", "grep", "head", "locale", "mkdir", "paste", "rm",
         "sed", "sort", "tr", "true", "uname")


class Setup(ProgramTest):
    """scripts/setup.sh in a project without .venv, on a machine that has only the tools above and stubs."""

    def setUp(self):
        super().setUp()
        self.project = self.tmp_dir / "project"
        shutil.copytree(ROOT / "scripts", self.project / "scripts")
        (self.project / "tests").mkdir()
        shutil.copy(ROOT / "tests/requirements.txt", self.project / "tests")
        self.bin = self.tmp_dir / "bin"
        self.log = self.tmp_dir / "log"
        self.log.touch()
        self.stub(df="echo; echo disk 1 1 100000000 1", python3=f'exec {PYTHON} "$@"')
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))

    def stub(self, **commands):
        write_stubs(self.bin, **commands)

    def setup_environment(self, **variables):
        kept = {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
        return kept | {"PATH": str(self.bin), "LOG": str(self.log), "HOME": str(self.tmp_dir)} | variables

    def setup(self, *arguments, **variables):
        return subprocess.run([self.project / "scripts/setup.sh", *arguments], capture_output=True, text=True,
                              env=self.setup_environment(**variables), timeout=120, stdin=subprocess.DEVNULL,
                              start_new_session=True)

    def setup_on_terminal(self, *arguments, **variables):
        """Returns what scripts/setup.sh prints on a terminal of its own."""
        child, terminal = pty.fork()
        if child == 0:
            os.execve(self.project / "scripts/setup.sh", ["setup.sh", *arguments], self.setup_environment(**variables))
        output = b""
        with contextlib.suppress(OSError), os.fdopen(terminal, "rb", buffering=0) as file:
            while block := file.read(4096):
                output += block
        os.waitpid(child, 0)
        return output.decode()

    def have_system_packages(self):
        """Makes every system package look installed."""
        self.stub(**{name: "exit 0" for name in ("c++", "cmake", "ninja", "git", "ccache", "fish", "zsh", "groff",
                                                 "mpicxx", "mpirun")},
                  locale="echo de_DE.utf8")

    def fake_libtorch(self, directory, version=(2, 5, 1), old_abi=False):
        header = directory / "include/torch/csrc/api/include/torch/version.h"
        header.parent.mkdir(parents=True)
        parts = zip(("MAJOR", "MINOR", "PATCH"), version)
        header.write_text("".join(f"#define TORCH_VERSION_{part} {number}\n" for part, number in parts))
        (directory / "lib").mkdir()
        (directory / "lib/libtorch.so").touch()
        (directory / "include/torch/script.h").touch()
        config = directory / "share/cmake/Torch/TorchConfig.cmake"
        config.parent.mkdir(parents=True)
        config.write_text(f'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI={0 if old_abi else 1}")\n')
        return directory

    def fake_torch_package(self, **properties):
        """Returns a PYTHONPATH with a torch package."""
        site = self.tmp_dir / "site"
        self.fake_libtorch(site / "torch", **properties)
        (site / "torch/__init__.py").touch()
        metadata = site / "torch-2.5.1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.5.1\n")
        (metadata / "RECORD").write_text("torch/__init__.py,,\n")
        return str(site)

    def test_check_reports_without_changing_anything(self):
        before = sorted(path.name for path in ROOT.iterdir())
        process = call(ROOT / "scripts/setup.sh", "--check")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("system packages: all installed", process.stderr)
        self.assertIn("LibTorch: ", process.stderr)
        self.assertEqual(before, sorted(path.name for path in ROOT.iterdir()))

    def test_unknown_argument_is_an_error(self):
        process = call(ROOT / "scripts/setup.sh", "--chekc")
        self.assertEqual(process.returncode, 1)
        self.assertIn("unknown argument '--chekc'", process.stderr)

    def test_without_apt_it_lists_what_to_install_and_does_nothing_else(self):
        for manager, command in (("dnf", "sudo dnf install gcc-c++ cmake ninja-build git cli11-devel"),
                                 ("pacman", "sudo pacman -S --needed gcc cmake ninja git cli11"),
                                 ("brew", "xcode-select --install; brew install cmake ninja cli11"),
                                 (None, "these packages of Debian, then rerun: g++ cmake ninja-build git libcli11-dev")):
            with self.subTest(manager):
                if manager:
                    self.stub(**{manager: 'echo "$0 $*" >>$LOG'})
                process = self.setup("--tests")
                self.assertEqual(process.returncode, 1)
                self.assertIn(command, process.stderr)
                self.assertEqual(process.stderr.count("\n"), 2, process.stderr)
                self.assertFalse((self.project / ".venv").exists())
                self.assertEqual(self.log.read_text(), "")
                if manager:
                    (self.bin / manager).unlink()

    # Like sudo, these drop the caller's variables; the second needs a password.
    SUDO = 'if [ "$1" = -n ]; then shift; fi; exec env -i PATH="$PATH" LOG="$LOG" "$@"'
    SUDO_WITH_PASSWORD = f'[ "$1" != -n ] || exit 1; {SUDO}'
    APT_GET = 'echo "apt-get $1 as $DEBIAN_FRONTEND" >>$LOG; exit 9'

    def test_apt_get_runs_noninteractively_behind_sudo(self):
        self.stub(apt_get=self.APT_GET, sudo=self.SUDO, id="echo 1000")
        process = self.setup()
        self.assertEqual(process.returncode, 1)
        self.assertIn("apt-get install as noninteractive", self.log.read_text())
        self.assertIn("installing packages failed, see above; to retry by hand: sudo apt-get install", process.stderr)

    def test_sudo_asks_for_its_password_on_a_terminal(self):
        self.stub(apt_get=self.APT_GET, sudo=self.SUDO_WITH_PASSWORD, id="echo 1000")
        self.setup_on_terminal()
        self.assertIn("apt-get install as noninteractive", self.log.read_text())

    def test_without_a_terminal_a_password_cannot_be_asked_for(self):
        self.stub(apt_get=self.APT_GET, sudo=self.SUDO_WITH_PASSWORD, id="echo 1000")
        process = self.setup()
        self.assertEqual(process.returncode, 1)
        self.assertIn("only root can install them; run: sudo apt-get install", process.stderr)
        self.assertEqual(self.log.read_text(), "")

    def test_a_named_libtorch_with_the_old_abi_is_refused_at_once(self):
        torch = self.fake_libtorch(self.tmp_dir / "torch", old_abi=True)
        process = self.setup(CMAKE_PREFIX_PATH=str(torch))
        self.assertEqual(process.returncode, 1)
        self.assertIn(f"the LibTorch in CMAKE_PREFIX_PATH, {torch}, was built with the old C++ ABI", process.stderr)
        self.assertNotIn("system packages", process.stderr)

    def test_a_named_libtorch_that_is_too_old_is_refused_at_once(self):
        torch = self.fake_libtorch(self.tmp_dir / "torch", version=(2, 3, 1))
        process = self.setup(CMAKE_PREFIX_PATH=str(torch))
        self.assertEqual(process.returncode, 1)
        self.assertIn("is version 2.3.1, and at least 2.4 is needed", process.stderr)

    def test_a_torch_package_with_the_old_abi_is_named_and_not_used(self):
        self.have_system_packages()
        process = self.setup("--check", PYTHONPATH=self.fake_torch_package(old_abi=True))
        self.assertEqual(process.returncode, 1)
        self.assertIn("which was built with the old C++ ABI", process.stderr)
        self.assertIn("LibTorch: missing", process.stderr)

    def test_a_torch_package_of_python3_is_used(self):
        self.have_system_packages()
        process = self.setup("--check", PYTHONPATH=self.fake_torch_package())
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn(f"LibTorch: 2.5.1 of {self.bin}/python3", process.stderr)

    def test_a_half_made_venv_is_repaired(self):
        self.have_system_packages()
        self.stub(python3=f'PYTHONPATH={self.fake_torch_package()} exec {PYTHON} "$@"')
        python = self.project / ".venv/bin/python"

        def no_pip():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.project / ".venv"], check=True)

        def no_python():
            python.unlink()
            python.symlink_to(self.tmp_dir / "gone")

        for damage in (no_pip, no_python):
            with self.subTest(damage.__name__):
                damage()
                process = self.setup()
                self.assertEqual(process.returncode, 0, process.stderr)
                subprocess.run([python, "-m", "pip", "--version"], check=True, capture_output=True)

    def venv_with_pip(self, code):
        """A .venv whose pip is shell code; the arguments of pip are in $*."""
        directory = self.project / ".venv/bin"
        directory.mkdir(parents=True)
        (directory / "python").write_text(
            f'#!/bin/sh\n[ "$1 $2" = "-m pip" ] || exec {PYTHON} "$@"\n'
            f'[ "$3" = install ] || exit 0\necho "$*" >>$LOG\n{code}\n')
        (directory / "python").chmod(0o755)

    def test_test_packages_must_install_where_every_test_must_run(self):
        self.have_system_packages()
        self.venv_with_pip("exit 1")
        (self.project / "tests/requirements.txt").write_text("no-such-package==1.0\n")
        site = self.fake_torch_package()
        process = self.setup("--tests", PYTHONPATH=site)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("no-such-package==1.0: not installed; tests that need it will be skipped", process.stderr)
        for variables in ({"CI": "true"}, {"MNIST_REQUIRE_ALL": "1"}):
            with self.subTest(variables):
                process = self.setup("--tests", PYTHONPATH=site, **variables)
                self.assertEqual(process.returncode, 1)
                self.assertIn("installing the tests' Python packages failed", process.stderr)

    @unittest.skipIf(shutil.which("nvidia-smi") or pathlib.Path("/proc/driver/nvidia/version").exists(),
                     "this machine has an NVIDIA driver")
    def test_without_an_nvidia_driver_a_build_for_cpu_is_preferred(self):
        self.have_system_packages()
        for refusal in ("No matching distribution found for torch==2.13.0+cpu", "ERROR: ResolutionImpossible: for help"):
            with self.subTest(refusal):
                shutil.rmtree(self.project / ".venv", ignore_errors=True)
                self.log.write_text("")
                self.venv_with_pip(f"case $* in *+cpu) echo {refusal} >&2; exit 1 ;; esac")
                process = self.setup()
                self.assertEqual(process.returncode, 0, process.stderr)
                first, second = self.log.read_text().splitlines()
                self.assertRegex(first, r"install torch==[\d.]+\+cpu$")
                self.assertRegex(second, r"install torch==[\d.]+$")
                self.assertRegex(process.stderr, "(?s)for CPU into .venv: 0.2 GB to download.* into .venv: .* several GB to download")

    def test_headers_that_a_build_for_cuda_13_lacks_are_installed(self):
        self.have_system_packages()
        self.venv_with_pip("exit 0")
        information = self.tmp_dir / "site/nvidia_cuda_runtime-13.0.96.dist-info/METADATA"
        information.parent.mkdir(parents=True)
        information.write_text("Metadata-Version: 2.1\nName: nvidia-cuda-runtime\nVersion: 13.0.96\n")
        self.setup(TORCH_INDEX_URL="file:///somewhere", PYTHONPATH=str(self.tmp_dir / "site"))
        self.assertIn("install -q nvidia-cuda-crt==13.0.*\n", self.log.read_text())

    def test_an_index_that_the_user_names_is_used_alone(self):
        self.have_system_packages()
        self.venv_with_pip("exit 0")
        self.setup(TORCH_INDEX_URL="file:///somewhere")
        self.assertRegex(self.log.read_text(), r"^-m pip install --index-url file:///somewhere torch==[\d.]+\n$")

    def test_a_full_disk_is_found_before_the_download(self):
        self.have_system_packages()
        self.venv_with_pip("exit 0")
        self.stub(df="echo; echo disk 1 1 1500000 1")
        process = self.setup()
        self.assertEqual(process.returncode, 1)
        self.assertIn("1 GB are free in", process.stderr)
        self.assertEqual(self.log.read_text(), "")
