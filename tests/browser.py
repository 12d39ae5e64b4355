"""A headless Chromium for tests of pages; they are skipped where there is none."""

import shutil
import unittest

try:
    from selenium import webdriver
except ImportError:
    webdriver = None

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")


def start(width=1000, height=1400, dark=False):
    """A new browser; the caller quits it. Skips the test where there is none."""
    if webdriver is None or CHROMIUM is None or DRIVER is None:
        raise unittest.SkipTest("no Chromium here: scripts/setup.sh --tests --browser installs it")
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


def complaints(browser):
    """What the page wrote to the console as errors."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
