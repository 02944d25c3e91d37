"""Debian's Chromium, without a window, and what the sessions do with the page."""
import importlib.util
import json
import pathlib
import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from broker import PATIENCE, eventually

__all__ = ["Keys", "Select", "Viewer"]


def axe_source():
    """axe-core, as the package bundles it; the package itself is for another driver and is not imported."""
    folder = importlib.util.find_spec("axe_playwright_python").submodule_search_locations[0]
    return pathlib.Path(folder, "axe.min.js").read_text()


class Viewer:
    """A browser with a profile of its own, that shows one broker's page."""

    def __init__(self, url, width=1280, height=900, dark=False):
        self.url = url
        self.profile = tempfile.mkdtemp(prefix="beanrow-page-")
        options = Options()
        options.binary_location = shutil.which("chromium")
        for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--disable-background-networking", "--disable-component-update", "--no-first-run",
                         f"--user-data-dir={self.profile}", f"--window-size={width},{height}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)
        self.size(width, height)
        if dark:
            self.dark()

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def size(self, width, height=900):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def dark(self, is_dark=True):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]})

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def open(self, screen):
        """Shows a screen, once its title is there and live data have come."""
        self.driver.get(f"{self.url}#/{screen}")
        self.until("the screen has a title", lambda: self.find("main h1").text)
        self.until("the strip is live", lambda: self.find(".cell-ready b").text != "\u2013")

    def until(self, what, condition):
        try:
            return eventually(what, condition)
        except AssertionError as error:
            raise AssertionError(f"{error}\nat {self.driver.current_url}, with:\n{self.find('body').text[:3000]}") from None

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return [element.text for element in self.all(selector)]

    def see(self, text, selector="body"):
        self.until(f"{selector} shows {text!r}", lambda: text in self.find(selector).text.replace("\u202f", " "))

    def button(self, text, inside="body"):
        """The visible button or link of this name."""
        def found():
            for element in self.all(f"{inside} button, {inside} a, {inside} summary, {inside} [role=option]"):
                if element.is_displayed() and element.text.strip() == text:
                    return element
            return None
        return self.until(f"{inside} has a button {text!r}", found)

    def click(self, text, inside="body"):
        def clicked():
            self.button(text, inside).click()
            return True
        self.until(f"{text!r} can be clicked", clicked)

    def field(self, label, inside="dialog"):
        """The field with this label."""
        def found():
            for element in self.all(f"{inside} label"):
                if element.text.strip() == label:
                    return self.driver.find_element(By.ID, element.get_attribute("for"))
            return None
        return self.until(f"{inside} has a field {label!r}", found)

    def type(self, label, text, inside="dialog"):
        field = self.field(label, inside)
        field.clear()
        field.send_keys(text)

    def confirm(self):
        """Presses the button that does what the dialog asks."""
        self.until("the dialog can be confirmed", lambda: self.find("dialog button[type=submit]").is_enabled())
        self.find("dialog button[type=submit]").click()
        self.until("the dialog is closed", lambda: not self.all("dialog"))

    def row(self, text):
        """The row of a table that has this text in its first link or cell."""
        def found():
            for row in self.all("main tbody tr"):
                if any(cell.text.strip() == text for cell in row.find_elements(By.CSS_SELECTOR, "td a, td span, td")):
                    return row
            return None
        return self.until(f"a row has {text!r}", found)

    def cell(self, row, column):
        """The text of a cell, read at once: the row may change meanwhile."""
        return self.until(f"the row {row!r} has a cell {column!r}", lambda: [self.script("""
            const row = [...document.querySelectorAll('main tbody tr')].find((row) => row.textContent.includes(arguments[0]));
            return row.querySelector('.c-' + arguments[1]).textContent.replaceAll('\u202f', '');""", row, column)])[0]

    def violations(self):
        """What axe finds serious or critical."""
        if not self.script("return Boolean(window.axe)"):
            self.script(axe_source())
        found = self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then((result) => done(result.violations
                .filter((one) => ['serious', 'critical'].includes(one.impact))
                .map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 200)} ${node.failureSummary}`).join(' | ')}`)),
                (error) => done([String(error)]));""")
        return found

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def loaded(self):
        """What the page has loaded: `{ name, decodedBodySize }`."""
        return json.loads(self.script("""return JSON.stringify([...performance.getEntriesByType('navigation'),
            ...performance.getEntriesByType('resource')].map(({ name, decodedBodySize }) => ({ name, decodedBodySize })))"""))

    def complaints(self):
        """Errors in the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
