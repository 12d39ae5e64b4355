"""The packages, built and installed in a bare Debian, on request.

That takes ten minutes, root, debootstrap and a Debian mirror: the one that this machine's APT uses. So it runs only
with MNIST_TEST_PACKAGES=1, and then fails where it cannot run.
"""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from programs import FASHION_SUBSET, ROOT, SUBSET

REQUESTED = os.environ.get("MNIST_TEST_PACKAGES") == "1"
PACKAGES = ROOT / "build/package"
# What a user does first. Runs in a folder of the user's own, with /check as the repository's subsets.
FIRST_STEPS = """
mnist-train --version
mnist-train --data /check/mnist-subset --epochs 3 --require-accuracy 80 --run-dir run --out model.pt
mnist-train --config "$RECIPES/fashion-mnist.toml" --data /check/fashion-subset --epochs 1 --engine torch --out f.pt
mnist-eval --model model.pt --data /check/mnist-subset --report report.html --require-accuracy 80
mnist-predict --model model.pt /check/color.png /check/gray.jpg
mnist-export --model model.pt --to onnx
test -s report.html && test -s model.onnx
"""


def call(*command, **options):
    process = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=1800, **options)
    if process.returncode != 0:
        raise AssertionError(f"{command}: exit code {process.returncode}\n{process.stdout}")
    return process.stdout


@functools.cache
def bare_debian():
    """Installs a minimal Debian of this machine's release; returns its folder."""
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines())
    indexes = call("apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages")
    codename = release["VERSION_CODENAME"]
    mirror = next(line.split()[1] for line in indexes.splitlines() if line.startswith(codename + " "))
    root = pathlib.Path(tempfile.mkdtemp(prefix="mnist-debian-"))
    root.chmod(0o755)  # not the private directory that mkdtemp makes: users must enter it, too
    unittest.addModuleCleanup(shutil.rmtree, root)
    call("debootstrap", "--variant=minbase", codename, root, mirror)
    for folder in ("etc/apt/sources.list.d", "etc/apt/apt.conf.d"):
        shutil.copytree(f"/{folder}", root / folder, dirs_exist_ok=True)
    if pathlib.Path("/etc/apt/sources.list").exists():
        shutil.copy("/etc/apt/sources.list", root / "etc/apt/sources.list")
    else:
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    check = root / "check"
    check.mkdir()
    shutil.copytree(SUBSET, check / "mnist-subset")
    shutil.copytree(FASHION_SUBSET, check / "fashion-subset")
    for image in ("color.png", "gray.jpg"):
        shutil.copy(ROOT / "tests/fuzz/seeds/image" / image, check)
    return root


@unittest.skipUnless(REQUESTED, "set MNIST_TEST_PACKAGES=1 to build the packages and install them in a bare Debian")
class InABareDebian(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        call(ROOT / "scripts/package.sh")

    def setUp(self):
        directory = tempfile.mkdtemp(prefix="mnist-root-")
        self.addCleanup(shutil.rmtree, directory)
        self.root = pathlib.Path(directory)
        call("cp", "-a", f"{bare_debian()}/.", self.root)

    def inside(self, script, user="root"):
        """Runs a shell script in the bare Debian, in processes and mounts of its own."""
        command = f"mount -t proc proc /proc && exec setpriv --reuid={user} --regid={user} --clear-groups bash -euc \"$1\""
        if user == "root":
            command = 'mount -t proc proc /proc && exec bash -euc "$1"'
        return call("unshare", "--mount", "--pid", "--fork", "chroot", self.root, "/bin/bash", "-c", command, "bash",
                    script, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/tmp"})

    def first_steps(self, path, recipes):
        self.inside("useradd --create-home user")
        self.inside(f"cd /home/user; PATH={path}:$PATH RECIPES={recipes}\n{FIRST_STEPS}", user="user")

    def test_archive_runs_from_any_folder_without_other_packages(self):
        (archive,) = PACKAGES.glob("mnist-trainer-*.tar.gz")
        call("tar", "-xzf", archive, "-C", self.root / "opt")
        (unpacked,) = (self.root / "opt").iterdir()
        unpacked.rename(self.root / "srv/moved here")
        self.assertNotRegex(self.inside("dpkg-query --show --showformat '${Package}\\n'"), "(?m)^(libpng|libspdlog|python)")
        self.first_steps("'/srv/moved here/bin'", "'/srv/moved here/share/mnist-trainer/recipes'")

    def test_deb_depends_on_what_it_needs(self):
        (package,) = PACKAGES.glob("mnist-trainer_*.deb")
        depends = call("dpkg-deb", "--field", package, "Depends")
        for library in ("libc6", "libpng16-16", "libspdlog1.10", "libstdc++6", "zlib1g"):
            self.assertIn(library, depends)
        shutil.copy(package, self.root / "tmp/mnist-trainer.deb")
        self.inside("apt-get update -q && apt-get install -q -y --no-install-recommends /tmp/mnist-trainer.deb")
        self.first_steps("/usr/bin", "/usr/share/mnist-trainer/recipes")
        self.inside("""cd /home/user
mnist-fetch fashion-mnist clothes
mnist-fetch fashion-mnist clothes
mnist-train --config /usr/share/mnist-trainer/recipes/fashion-mnist.toml --data clothes --epochs 1 --out c.pt
mnist-eval --model c.pt --data clothes --require-accuracy 80""", user="user")
        self.inside("dpkg --purge mnist-trainer && test ! -e /usr/lib/mnist-trainer && test ! -e /usr/share/mnist-trainer")


if __name__ == "__main__":
    unittest.main()
