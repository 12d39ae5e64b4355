"""The HTML report and the drawing page in a real browser."""

import itertools
import math
import unittest

import browser
from programs import FASHION_SUBSET, SUBSET, ProgramTest, torch_mlp


def circle():
    """Points on an ellipse, in fractions of the canvas."""
    return [(0.5 + 0.2 * math.sin(t / 6 * math.pi), 0.5 - 0.33 * math.cos(t / 6 * math.pi)) for t in range(13)]


class Pages(ProgramTest):
    def open(self, path, **options):
        page = browser.start(**options)
        self.addCleanup(page.quit)
        page.get(path.as_uri())
        return page

    def assert_healthy(self, page):
        """No console errors, no external resources, no horizontal scrolling, and text for every picture."""
        self.assertEqual(browser.console_errors(page), [])
        loaded = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
        self.assertEqual(loaded, [], "the page must be self-contained")
        self.assertTrue(page.execute_script(
            "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
        unlabeled = page.execute_script(
            "return [...document.querySelectorAll('canvas, svg')].filter(e => e.getAttribute('role') !== 'img' "
            "|| !(e.getAttribute('aria-label') || e.querySelector('title')?.textContent)).length")
        self.assertEqual(unlabeled, 0, "canvas or svg without a text alternative")

    def make_report(self, data):
        model, path = self.tmp_dir / "m.pt", self.tmp_dir / "report.html"
        self.succeed("mnist-train", "--data", data, "--epochs", 2, "--hidden", 20, "--validation", 100,
                     "--out", model, "--run-dir", self.tmp_dir / "run")
        self.succeed("mnist-eval", "--model", model, "--data", data, "--report", path, "--run-dir",
                     self.tmp_dir / "run")
        return path

    def test_report_shows_confusion_mistakes_weights_and_curves(self):
        page = self.open(self.make_report(SUBSET))
        self.assert_healthy(page)
        self.assertRegex(page.title, r"^\d\d\.\d\d % accuracy on test images$")
        for selector, count in (("#confusion tbody tr", 10), ("#mistakes canvas", 60), ("#weights canvas", 20),
                                ("#classes tbody tr", 10), ("#curves polyline", 4)):
            self.assertEqual(len(page.find_elements("css selector", selector)), count, selector)
        mistake = page.find_element("css selector", "#mistakes canvas").get_attribute("aria-label")
        self.assertRegex(mistake, r"^Image \d+: \d, predicted as \d$")

    def test_axes_of_the_curves_have_round_ticks(self):
        page = self.open(self.make_report(SUBSET))
        for figure in page.find_elements("css selector", "#curves figure"):
            texts = [text.get_attribute("textContent") for text in figure.find_elements("tag name", "text")]
            across = [text for text in texts if text.isdigit() and text != "0"]
            self.assertEqual(across, ["1", "2"], "epochs")
            up = [float(text.removesuffix(" %")) for text in texts[:texts.index("1")]]
            self.assertGreaterEqual(len(up), 4)
            for low, high in itertools.pairwise(up):
                self.assertIn(f"{high - low:e}"[:8], ("1.000000", "2.000000", "5.000000"), f"steps of {up}")

    def test_report_fits_a_phone_in_dark_mode(self):
        page = self.open(self.make_report(FASHION_SUBSET), width=500, height=900, dark=True)
        self.assert_healthy(page)
        self.assertIn("Ankle boot", page.find_element("id", "confusion").text)
        colors = page.execute_script(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
        self.assertEqual(colors, ["rgb(22, 24, 28)", "rgb(232, 232, 232)"])

    def test_drawn_digits_are_recognized(self):
        model = self.tmp_dir / "m.pt"
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 8, "--rotation", 10, "--translation", 1,
                     "--out", model)
        self.succeed("mnist-export", "--model", model, "--to", "html")
        page = self.open(self.tmp_dir / "m.html", width=800, height=800)
        self.assert_healthy(page)
        guess = page.find_element("id", "guess")
        self.assertEqual(guess.text, "–")
        browser.draw(page, circle())
        self.assertEqual(guess.text, "0")
        percentages = [cell.text.split()[0] for cell in page.find_elements("css selector", "#bars td:nth-child(3)")]
        self.assertAlmostEqual(sum(map(float, percentages)), 100, delta=0.6)
        page.find_element("id", "clear").click()
        self.assertEqual(guess.text, "–")
        browser.draw(page, [(0.5, 0.15), (0.49, 0.85)])
        self.assertEqual(guess.text, "1")

    def test_drawing_page_computes_the_same_probabilities_as_pytorch(self):
        model = self.tmp_dir / "m.pt"
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 1, "--hidden", "20,10", "--activation",
                     "tanh", "--out", model)
        self.succeed("mnist-export", "--model", model, "--to", "html")
        page = self.open(self.tmp_dir / "m.html")
        import torch
        network = torch_mlp([784, 20, 10, 10], "Tanh")
        network.load_state_dict(torch.load(model, weights_only=True))
        pixels = [(i % 29) / 28 for i in range(784)]
        expected = network(torch.tensor(pixels)).softmax(0).tolist()
        found = page.execute_script("return predict(arguments[0])", pixels)
        for a, b in zip(found, expected, strict=True):
            self.assertAlmostEqual(a, b, places=5)


if __name__ == "__main__":
    unittest.main()
