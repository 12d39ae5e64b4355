"""Console output: colors, progress on a terminal, --quiet, --verbose and log files."""

import os
import pty
import re
import subprocess
import unittest

import programs
from programs import BIN, SUBSET, ProgramTest

TRAIN = ["--data", str(SUBSET), "--hidden", "16", "--device", "cpu", "--threads", "1"]


def on_terminal(flags, environment):
    """Runs a program with a terminal as standard error; returns what it wrote there and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BIN / flags[0], *flags[1:]], stdout=subprocess.DEVNULL, stderr=theirs,
                               env=os.environ | environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux reports EIO once the other end is closed
            break
        if not chunk:
            break
        written += chunk
    os.close(ours)
    return written.decode(), process.wait(timeout=60)


class Messages(ProgramTest):
    def train_on_terminal(self, *flags, **environment):
        out = str(self.tmp_dir / "m.pt")
        command = ["mnist-train", *TRAIN, "--epochs", "30", "--batch", "1", "--out", out, *flags]
        text, code = on_terminal(command, {"TERM": "xterm", "NO_COLOR": ""} | environment)
        self.assertEqual(code, 0, text)
        return text

    def test_progress_redraws_one_line(self):
        text = self.train_on_terminal()
        drawn = re.findall(r"\r\x1b\[K(epoch +\d+/30 +\d+ %  loss [\d.]+  [\d,]+ images/s  \d+:\d\d left)", text)
        self.assertGreater(len(drawn), 0, text)
        # Each progress line is erased before the next output.
        erased = re.findall(r"left\r\x1b\[K(?!epoch +\d+/30 +\d+ %  loss)", text)
        self.assertEqual(text.count("\x1b[K"), len(drawn) + len(erased))
        # What remains on the screen is what a log file would contain.
        kept = re.sub(r"\r\x1b\[K[^\r\n]*?(?=\r\x1b\[K)", "", text).replace("\r\x1b[K", "")
        self.assertEqual(len(re.findall(r"^epoch +\d+/30  loss", kept, re.MULTILINE)), 30)

    def test_no_progress_on_dumb_terminals_in_files_or_with_quiet(self):
        for flags, environment in (([], {"TERM": "dumb"}), (["--quiet"], {})):
            text = self.train_on_terminal(*flags, **environment)
            self.assertNotIn("\x1b", text)
            self.assertNotIn(" left", text)
        process = self.succeed("mnist-train", *TRAIN, "--epochs", 2, "--out", self.tmp_dir / "m.pt")
        self.assertNotIn("\x1b", process.stderr)
        self.assertNotIn(" left", process.stderr)

    def test_colors_follow_the_terminal_and_flags(self):
        command = ["mnist-eval", "--model", str(self.tmp_dir / "none.pt"), "--data", str(SUBSET)]
        red = "mnist-eval: \x1b[1;31merror:\x1b[0m "
        for flags, environment, colored in (
                ([], {"TERM": "xterm", "NO_COLOR": ""}, True), ([], {"TERM": "xterm", "NO_COLOR": "1"}, False),
                ([], {"TERM": "dumb", "NO_COLOR": ""}, False), (["--color", "never"], {"TERM": "xterm"}, False)):
            text, code = on_terminal(command + flags, environment)
            self.assertEqual(code, 1)
            self.assertEqual(red in text, colored, (flags, environment))
        self.assertNotIn("\x1b", programs.run(*command).stderr)
        self.assertIn(red, programs.run(*command, "--color", "always").stderr)

    def test_quiet_prints_only_results_and_verbose_adds_gradient_norms(self):
        out = ["--out", self.tmp_dir / "m.pt", "--epochs", 1]
        quiet = self.succeed("mnist-train", *TRAIN, *out, "--quiet")
        self.assertEqual(quiet.stderr, "")
        self.assertIn("test accuracy", quiet.stdout)
        self.assertNotIn("gradient norms", self.succeed("mnist-train", *TRAIN, *out).stderr)
        self.assertIn("gradient norms  0.weight", self.succeed("mnist-train", *TRAIN, *out, "--verbose").stderr)
        self.fail_with(2, "--quiet cannot be combined with --verbose", "mnist-train", "--quiet", "--verbose")

    def test_log_file_is_appended_to_with_timestamps(self):
        log = self.tmp_dir / "log"
        for _ in range(2):
            self.succeed("mnist-train", *TRAIN, "--epochs", 1, "--out", self.tmp_dir / "m.pt", "--log-file", log)
        lines = re.findall(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d mnist-train info: epoch 1/1 ",
                           log.read_text(), re.MULTILINE)
        self.assertEqual(len(lines), 2)
        self.assertNotIn("\x1b", log.read_text())
        self.fail_with(2, f"--log-file {log}/log cannot be opened", "mnist-eval", "--log-file",
                       f"{log}/log")

    def test_vanishing_gradients_are_warned_about_once(self):
        process = self.succeed("mnist-train", "--data", SUBSET, "--hidden", ",".join(["30"] * 8),
                               "--activation", "sigmoid", "--epochs", 1, "--out", self.tmp_dir / "m.pt")
        self.assertEqual(process.stderr.count("mnist-train: warning: vanishing gradient: "), 1, process.stderr)


if __name__ == "__main__":
    unittest.main()
