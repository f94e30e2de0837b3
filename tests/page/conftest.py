"""A browser, and pages of made-up runs."""

import os
import pathlib
import shutil
import subprocess

import pytest
from made_runs import RUNS, write_run
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="session")
def sequela():
    """Runs the command; returns what it printed."""
    return lambda *arguments: subprocess.run([os.environ["SEQUELA_BINARY"], *map(str, arguments)], check=True,
                                             capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: install package chromium")
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory, sequela):
    """The page of each kind of run, and of all together, by name."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {kind: write_run(folder / kind, kind) for kind in RUNS}
    made = {kind: pathlib.Path(sequela("report", run)) for kind, run in runs.items()}
    made["all"] = pathlib.Path(sequela("report", *runs.values(), "--out", folder / "all.html"))
    return made


class Opened:
    """A page in the browser, with all that went wrong in it."""

    def __init__(self, page, path):
        self.page, self.faults = page, []
        page.on("console", lambda message: self.faults.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:"))
                else self.faults.append(request.url))
        page.goto(path.as_uri())

    def draw_all(self):
        """Scrolls to each figure, as a reader would."""
        figures = self.page.locator("figure")
        for i in range(figures.count()):
            figures.nth(i).scroll_into_view_if_needed()
            figures.nth(i).locator("svg").wait_for()
        return figures


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_one(path, width=1400, scheme="light"):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
        return Opened(contexts[-1].new_page(), path)

    yield open_one
    for context in contexts:
        context.close()
