"""No module includes one above it; LibTorch stays in its modules; headers are public or private on purpose."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# For each module, the modules that it may include besides itself.
BELOW = {
    "support": set(),
    "options": {"support"},  # and leaves: a domain's own enumerations
    "distributed": {"support"},
    "data": {"distributed", "options", "support"},
    "imaging": {"options", "support"},
    "augment": {"support"},
    "model": {"options", "support"},
    "serialize": {"model", "options", "support"},
    "engine": {"augment", "data", "distributed", "model", "options", "support"},
    "evaluate": {"data", "model", "options", "support"},
    "export": {"imaging", "model", "options", "serialize", "support"},
    "train": {"data", "engine", "evaluate", "model", "options", "serialize", "support"},
    "report": {"data", "evaluate", "imaging", "model", "options", "serialize", "support", "train"},
    "cli": {"data", "distributed", "engine", "evaluate", "export", "imaging", "model", "options", "report",
            "serialize", "support", "train"},
}
# `report` prints an evaluation but never makes one.
FORBIDDEN_HEADERS = {"report": {"mnist/evaluate/evaluate.hpp"}}
INCLUDE = re.compile(r'^#include "((?:mnist/)?(\w+)/[\w/-]+\.hpp)"', re.MULTILINE)
LIBTORCH = re.compile(r"^#include <(torch|ATen|c10|caffe2)/", re.MULTILINE)
LIBTORCH_MODULES = {"engine", "evaluate", "model", "serialize"}


def is_leaf(header):
    """Whether a header includes nothing of the project but support: a domain's plain choices."""
    path = ROOT / ("include" if header.startswith("mnist/") else "src") / header
    return all(module == "support" for _, module in INCLUDE.findall(path.read_text()))


def sources():
    for base in ("src", "include/mnist"):
        for path in sorted([*(ROOT / base).rglob("*.?pp"), *(ROOT / base).rglob("*.cu")]):
            yield path.relative_to(ROOT / base).parts[0], path


class Layering(unittest.TestCase):
    def test_there_is_something_to_check(self):
        self.assertGreater(len(list(sources())), 40)

    def test_includes_point_downwards(self):
        for module, path in sources():
            for header, included in INCLUDE.findall(path.read_text()):
                with self.subTest(file=str(path), includes=header):
                    if module == "options" and is_leaf(header):
                        continue
                    self.assertIn(included, BELOW[module] | {module})
                    self.assertNotIn(header, FORBIDDEN_HEADERS.get(module, ()))

    def test_public_headers_include_only_public_headers(self):
        for path in sorted((ROOT / "include").rglob("*.hpp")):
            for header, _ in INCLUDE.findall(path.read_text()):
                with self.subTest(file=str(path), includes=header):
                    self.assertTrue((ROOT / "include" / header).is_file())

    def test_no_header_is_both_public_and_private(self):
        for path in sorted((ROOT / "src").rglob("*.hpp")):
            with self.subTest(file=str(path)):
                self.assertFalse((ROOT / "include/mnist" / path.relative_to(ROOT / "src")).exists())

    def test_libtorch_stays_where_networks_are(self):
        for module, path in sources():
            if LIBTORCH.search(path.read_text()):
                with self.subTest(file=str(path)):
                    self.assertIn(module, LIBTORCH_MODULES)

    def test_each_file_says_what_it_is_for(self):
        for _, path in sources():
            with self.subTest(file=str(path)):
                self.assertTrue(path.read_text().startswith("// "))


if __name__ == "__main__":
    unittest.main()
