"""Runs a file of Python tests: run_unittest.py FILE. Exits with 77, which CTest shows as skipped, if
any of its tests was skipped, so that a skip never looks like a pass."""

import importlib.util
import sys
import unittest

SKIPPED = 77


def main(path):
    specification = importlib.util.spec_from_file_location("tests", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["tests"] = module
    specification.loader.exec_module(module)
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    if not result.wasSuccessful() or result.testsRun == 0:
        return 1
    return SKIPPED if result.skipped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
