"""Generated completions and man pages, checked by the real shells and groff where installed."""

import os
import re
import shutil
import subprocess
import unittest

import programs
from programs import BIN, ROOT, ProgramTest

PROGRAMS = ["mnist-eval", "mnist-export", "mnist-predict", "mnist-train"]


class Documents(ProgramTest):
    def generated(self, program, kind):
        return self.succeed(program, "--generate", kind).stdout

    def test_bash_completes_flags_values_and_paths(self):
        def completed(program, *words):
            script = self.tmp_dir / "completion.bash"
            script.write_text(self.generated(program, "bash"))
            line = " ".join(f"'{word}'" for word in (program, *words))
            command = (f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; "
                       f"_{program.replace('-', '_')}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
            return subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                                  check=True, cwd=self.tmp_dir).stdout.split()
        self.assertEqual(completed("mnist-train", "--sched"), ["--schedule"])
        self.assertEqual(completed("mnist-train", "--schedule", "co"), ["constant", "cosine"])
        self.assertEqual(completed("mnist-eval", "--split", ""), ["train", "test"])
        (self.tmp_dir / "some-data").mkdir()
        (self.tmp_dir / "some-file").touch()
        self.assertEqual(completed("mnist-eval", "--data", "some"), ["some-data"])
        self.assertEqual(sorted(completed("mnist-predict", "some")), ["some-data", "some-file"])

    def require(self, program):
        if shutil.which(program) is None:
            self.skipTest(f"needs {program}")

    def parse_completions(self, shell):
        self.require(shell)
        for program in PROGRAMS:
            text = self.generated(program, shell)
            self.assertIn("log-file", text)
            path = self.tmp_dir / f"completion.{shell}"
            path.write_text(text)
            subprocess.run([shell, "-n", path], check=True)

    def test_zsh_parses_its_completions(self):
        self.parse_completions("zsh")

    def test_fish_parses_its_completions(self):
        self.parse_completions("fish")

    def test_man_pages_are_clean_and_complete(self):
        self.require("groff")
        for program in PROGRAMS:
            page = self.generated(program, "man")
            options = [word for word in programs.run(program, "--help").stdout.split()
                       if word.startswith("--") and len(word) > 2]
            for option in options:
                plain = option.split("=")[0].split(",")[-1].replace("-", "\\-")
                self.assertIn(plain, page)
            shown = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-P-c"], input=page,
                                   capture_output=True, text=True, check=True)
            self.assertEqual(shown.stderr, "")
            self.assertIn("SYNOPSIS", re.sub(".\b", "", shown.stdout))  # groff overstrikes bold

    def test_only_programs_that_can_exit_with_3_say_so(self):
        for program, exits in (("mnist-train", True), ("mnist-eval", True), ("mnist-predict", False),
                               ("mnist-export", False)):
            for text in (self.generated(program, "man"), self.succeed(program, "--help").stdout):
                self.assertEqual("3 below the required accuracy" in text, exits, program)

    def test_reference_page_is_what_the_programs_print(self):
        page = subprocess.run([ROOT / "scripts/reference.sh"], capture_output=True, text=True, check=True,
                              env=os.environ | {"MNIST_BIN": str(BIN)}).stdout
        self.assertEqual((ROOT / "docs/reference.md").read_text(), page,
                         "regenerate the page: scripts/reference.sh >docs/reference.md")

    def test_reference_page_has_every_option(self):
        page = (ROOT / "docs/reference.md").read_text()
        for program in PROGRAMS:
            section = page.split(f"\n## {program}\n")[1].split("\n## ")[0]
            for option in re.findall(r"^  .*?(--[a-z-]+)", programs.run(program, "--help").stdout, re.MULTILINE):
                self.assertRegex(section, rf"\n\| `(-h, )?{option}( [A-Z,]+)?` \|")

    def test_unknown_kind_is_a_usage_error(self):
        self.fail_with(2, "--generate: expected bash, fish, zsh, man or markdown, found 'tcsh'", "mnist-train",
                       "--generate", "tcsh")


if __name__ == "__main__":
    unittest.main()
