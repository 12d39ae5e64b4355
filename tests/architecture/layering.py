"""No room's files include those of a room above it; nothing but the named files sees LibTorch."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# For each room, the rooms that it may include besides itself.
BELOW = {
    "support": set(),
    "options": {"support"},
    "data": {"options", "support"},
    "model": {"options", "support"},
    "engine": {"data", "model", "options", "support"},
    "evaluate": {"data", "model", "options", "support"},
    "report": {"evaluate", "data", "model", "options", "support"},
    "export": {"model", "options", "support"},
    "train": {"engine", "data", "model", "report", "options", "support"},
    "cli": {"train", "export", "evaluate", "engine", "report", "data", "model", "options", "support"},
}
# `report` prints an evaluation but never makes one.
FORBIDDEN_HEADERS = {"report": {"mnist/evaluate/evaluator.hpp"}}
INCLUDE = re.compile(r'^#include "(mnist/(\w+)/\w+\.hpp)"', re.MULTILINE)
LIBTORCH = re.compile(r"^#include <(torch|ATen|c10|caffe2)/", re.MULTILINE)
LIBTORCH_ROOMS = {"engine", "evaluate", "model"}
# Lines of code in src and include together: blank lines and comments are not counted, so that
# nobody saves on documentation. Training has two thirds of them, of which the CUDA engine is a sixth;
# reports, prediction and export the rest.
COMPLEXITY_BUDGET = 11500


def sources():
    for base in ("src", "include/mnist"):
        for path in sorted([*(ROOT / base).rglob("*.?pp"), *(ROOT / base).rglob("*.cu")]):
            yield path.relative_to(ROOT / base).parts[0], path


class Layering(unittest.TestCase):
    def test_there_is_something_to_check(self):
        self.assertGreater(len(list(sources())), 40)

    def test_includes_point_downwards(self):
        for room, path in sources():
            for header, included in INCLUDE.findall(path.read_text()):
                with self.subTest(file=str(path), includes=header):
                    self.assertIn(included, BELOW[room] | {room})
                    self.assertNotIn(header, FORBIDDEN_HEADERS.get(room, ()))

    def test_libtorch_stays_where_networks_are(self):
        for room, path in sources():
            if LIBTORCH.search(path.read_text()):
                with self.subTest(file=str(path)):
                    self.assertIn(room, LIBTORCH_ROOMS)

    def test_each_file_says_what_it_is_for(self):
        for _, path in sources():
            with self.subTest(file=str(path)):
                self.assertTrue(path.read_text().startswith("// "))

    def test_complexity_budget(self):
        lines = [line.strip() for _, path in sources() for line in path.read_text().splitlines()]
        code = [line for line in lines if line and not line.startswith("//")]
        self.assertLess(len(code), COMPLEXITY_BUDGET)


if __name__ == "__main__":
    unittest.main()
