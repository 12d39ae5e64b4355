"""Our pages in a real browser: the report of an evaluation, and the page to draw on."""

import math
import unittest

import browser
from programs import FASHION_SUBSET, SUBSET, ProgramTest

try:
    from selenium.webdriver.common.action_chains import ActionChains
except ImportError:
    ActionChains = None  # then browser.start() skips


def circle():
    return [(0.5 + 0.2 * math.sin(t / 6 * math.pi), 0.5 - 0.33 * math.cos(t / 6 * math.pi)) for t in range(13)]


class Pages(ProgramTest):
    def open(self, path, **how):
        page = browser.start(**how)
        self.addCleanup(page.quit)
        page.get(path.as_uri())
        return page

    def assert_healthy(self, page):
        self.assertEqual(browser.complaints(page), [])
        loaded = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
        self.assertEqual(loaded, [], "the page must not need anything from elsewhere")
        self.assertTrue(page.execute_script(
            "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
        unlabelled = page.execute_script(
            "return [...document.querySelectorAll('canvas, svg')].filter(e => e.getAttribute('role') !== 'img' "
            "|| !(e.getAttribute('aria-label') || e.querySelector('title')?.textContent)).length")
        self.assertEqual(unlabelled, 0, "pictures without text alternatives")

    def report(self, data, *flags):
        model, path = self.folder / "m.pt", self.folder / "report.html"
        self.succeed("mnist-train", "--data", data, "--epochs", 2, "--hidden", 20, "--validation", 100,
                     "--out", model, "--run-dir", self.folder / "run", *flags)
        self.succeed("mnist-eval", "--model", model, "--data", data, "--report", path, "--run-dir",
                     self.folder / "run")
        return path

    def test_report(self):
        page = self.open(self.report(SUBSET))
        self.assert_healthy(page)
        self.assertRegex(page.title, r"^\d\d\.\d\d % accuracy on test images$")
        for selector, count in (("#confusion tbody tr", 10), ("#mistakes canvas", 60), ("#weights canvas", 20),
                                ("#classes tbody tr", 10), ("#curves polyline", 4)):
            self.assertEqual(len(page.find_elements("css selector", selector)), count, selector)
        mistake = page.find_element("css selector", "#mistakes canvas").get_attribute("aria-label")
        self.assertRegex(mistake, r"^Image \d+: \d, predicted as \d$")

    def test_report_on_a_phone_in_the_dark(self):
        page = self.open(self.report(FASHION_SUBSET), width=500, height=900, dark=True)
        self.assert_healthy(page)
        self.assertIn("Ankle boot", page.find_element("id", "confusion").text)
        colours = page.execute_script(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
        self.assertEqual(colours, ["rgb(22, 24, 28)", "rgb(232, 232, 232)"])

    def draw(self, page, points):
        pad = page.find_element("id", "pad")
        width, height = pad.size["width"], pad.size["height"]
        places = [(int((x - 0.5) * width), int((y - 0.5) * height)) for x, y in points]
        actions = ActionChains(page, duration=10)
        actions.move_to_element_with_offset(pad, *places[0]).click_and_hold()
        for place in places[1:]:
            actions.move_to_element_with_offset(pad, *place)
        actions.release().perform()

    def test_drawing(self):
        model = self.folder / "m.pt"
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 8, "--rotation", 10, "--translation", 1,
                     "--out", model)
        self.succeed("mnist-export", "--model", model, "--to", "html")
        page = self.open(self.folder / "m.html", width=800, height=800)
        self.assert_healthy(page)
        guess = page.find_element("id", "guess")
        self.assertEqual(guess.text, "–")
        self.draw(page, circle())
        self.assertEqual(guess.text, "0")
        shown = [row.text for row in page.find_elements("css selector", "#bars td:nth-child(3)")]
        self.assertAlmostEqual(sum(float(text.split()[0]) for text in shown), 100, delta=0.6)
        page.find_element("id", "clear").click()
        self.assertEqual(guess.text, "–")
        self.draw(page, [(0.5, 0.15), (0.49, 0.85)])
        self.assertEqual(guess.text, "1")

    def test_the_page_computes_what_the_model_does(self):
        model = self.folder / "m.pt"
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 1, "--hidden", "20,10", "--activation",
                     "tanh", "--out", model)
        self.succeed("mnist-export", "--model", model, "--to", "html")
        page = self.open(self.folder / "m.html")
        import torch
        state = torch.load(model, weights_only=True)
        pixels = [(i % 29) / 28 for i in range(784)]
        values = torch.tensor(pixels)
        for layer in ("0", "2", "4"):
            values = state[f"{layer}.weight"] @ values + state[f"{layer}.bias"]
            values = torch.tanh(values) if layer != "4" else torch.softmax(values, 0)
        found = page.execute_script("return predict(arguments[0])", pixels)
        for a, b in zip(found, values.tolist()):
            self.assertAlmostEqual(a, b, places=5)


if __name__ == "__main__":
    unittest.main()
