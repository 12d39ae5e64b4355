"""The guide: both languages show the code of examples/guide, which runs, and commands that are valid."""

import gzip
import importlib.util
import math
import re
import shlex
import subprocess
import sys
import unittest

from programs import ROOT, SUBSET, TEST_BIN, ProgramTest

GUIDES = {name: (ROOT / "docs" / name).read_text() for name in ("guide.md", "guide.ru.md")}
PROGRAMS = {"python": ROOT / "examples/guide/guide.py", "cpp": ROOT / "examples/guide/main.cpp"}


def blocks(guide, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDES[guide], re.MULTILINE | re.DOTALL)


def commands(guide):
    """The commands of the mnist programs that the guide tells its readers to try."""
    return re.findall(r"^    (mnist-\w+ .*)$", GUIDES[guide], re.MULTILINE)


def indented(block, width):
    return "".join(" " * width + line if line.strip() else line for line in block.splitlines(True))


class Text(ProgramTest):
    def test_code_is_that_of_the_programs(self):
        for language, path in PROGRAMS.items():
            program = path.read_text()
            self.assertGreater(len(blocks("guide.md", language)), 15)
            for block in blocks("guide.md", language):
                self.assertTrue(any(indented(block, width) in program for width in (0, 2, 4)),
                                f"not in {path.name}:\n{block}")

    def test_sections_are_complete(self):
        for guide, headings in (("guide.md", ("Try", "Result")), ("guide.ru.md", ("Попробуйте", "Результат"))):
            for section in GUIDES[guide].split("\n## ")[1:]:
                title = section.split("\n")[0]
                parts = {"question": r"\?$", "formula": r"^    .*[=~←]", "Python code": r"^```python", "C++ code": r"^```cpp",
                         **{word: rf"^\*\*{word}\b" for word in headings}}
                if title[0].isdigit():  # the appendix has none
                    parts["picture"] = r"^!\["
                for part, pattern in parts.items():
                    text = title if part == "question" else section
                    self.assertRegex(text, re.compile(pattern, re.MULTILINE), f"{guide}, {title}: no {part}")

    def test_languages_show_the_same(self):
        english, russian = GUIDES
        for kind in ("python", "cpp"):
            self.assertEqual(blocks(english, kind), blocks(russian, kind))
        self.assertEqual(commands(english), commands(russian))
        for pattern, count in ((r"^## ", 15), (r"^!\[", 15), (r"^\|", 30)):
            found = [len(re.findall(pattern, text, re.MULTILINE)) for text in GUIDES.values()]
            self.assertEqual(found[0], found[1], pattern)
            self.assertGreater(found[0], count)

    def test_pictures_exist_in_the_language_of_the_text(self):
        for name, suffix in (("guide.md", ".en.svg"), ("guide.ru.md", ".ru.svg")):
            for picture in re.findall(r"\]\((pictures/[^)]*)\)", GUIDES[name]):
                self.assertTrue(picture.endswith(suffix), picture)
                self.assertLess((ROOT / "docs" / picture).stat().st_size, 150_000)

    def test_commands_have_valid_options(self):
        for command in commands("guide.md"):
            program, *flags = shlex.split(command, comments=True)
            if program == "mnist-train":
                with self.subTest(command=command):
                    self.succeed(program, *flags, "--print-config", cwd=ROOT)


class Programs(ProgramTest):
    def check(self, *command):
        """Runs a program on the subset for one epoch, with a model of mnist-train, and checks what it prints."""
        model = self.tmp_dir / "trained.pt"
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 5, "--device", "cpu", "--out", model)
        process = subprocess.run([*command, "1", model], capture_output=True, text=True, timeout=300)
        self.assertEqual(process.returncode, 0, process.stderr)
        counts = re.findall(r"parameters: (\d+)", process.stdout)
        self.assertEqual(counts, ["235146", "535818"])
        by_hand, by_torch = re.search(r"loss by hand ([\d.]+), by cross_entropy ([\d.]+)", process.stdout).groups()
        self.assertAlmostEqual(float(by_hand), float(by_torch), delta=2e-4)
        before, after = re.search(r"before the step ([\d.]+), after it ([\d.]+)", process.stdout).groups()
        self.assertLess(float(after), float(before))
        for words in ("largest difference", "two layers and one differ by"):
            self.assertLess(float(re.search(rf"{words} ([\d.e+-]+)", process.stdout)[1]), 1e-5)
        scaled, raw = map(float, re.findall(r"first loss ([\d.]+), expected 2\.30", process.stdout))
        self.assertAlmostEqual(scaled, math.log(10), delta=0.1)
        self.assertGreater(raw, 4)
        accuracies = re.findall(r"test accuracy ([\d.]+) %", process.stdout)
        self.assertEqual(len(accuracies), 2, process.stdout)
        self.assertGreater(float(accuracies[0]), 60)
        self.assertAlmostEqual(float(accuracies[1]), 100 * self.evaluate(model)["accuracy"], delta=0.11)

    @unittest.skipUnless(importlib.util.find_spec("torch"), "needs the Python package torch")
    def test_python(self):
        for source in SUBSET.glob("*.gz"):
            (self.tmp_dir / source.stem).write_bytes(gzip.decompress(source.read_bytes()))
        self.check(sys.executable, PROGRAMS["python"], self.tmp_dir)

    def test_cpp(self):
        self.check(TEST_BIN / "guide_example", SUBSET)
        process = subprocess.run([TEST_BIN / "guide_example", SUBSET, "1", self.tmp_dir / "nowhere.pt"],
                                 capture_output=True, text=True)
        self.assertEqual(process.returncode, 1)
        self.assertIn("nowhere.pt", process.stderr)


if __name__ == "__main__":
    unittest.main()
