"""Starts headless Chromium for page tests, which are skipped if it is not installed, and draws on pages."""

import shutil
import unittest

try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
except ImportError:
    webdriver = None  # start() skips the tests

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")


def start(width=1000, height=1400, dark=False):
    """Returns a new browser, which the caller must quit; skips the test if Chromium is missing."""
    if webdriver is None or CHROMIUM is None or DRIVER is None:
        raise unittest.SkipTest("needs Chromium: run scripts/setup.sh --tests --browser")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    scheme = "dark" if dark else "light"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    return browser


def console_errors(browser):
    """Returns the errors that the page wrote to the console."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def draw(browser, points):
    """Draws a line on the drawing page through `points`, [(x, y)] in fractions of the canvas."""
    pad = browser.find_element("id", "pad")
    width, height = pad.size["width"], pad.size["height"]
    places = [(int((x - 0.5) * width), int((y - 0.5) * height)) for x, y in points]
    actions = ActionChains(browser, duration=10)
    actions.move_to_element_with_offset(pad, *places[0]).click_and_hold()
    for place in places[1:]:
        actions.move_to_element_with_offset(pad, *place)
    actions.release().perform()
