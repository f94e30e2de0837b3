"""The page in a browser: every figure drawn, on every width, in both themes; safe; usable without a mouse."""

import csv
import io
import os
import pathlib
import re

import pytest
from made_runs import HOSTILE, RUNS, write_run

AXE = pathlib.Path(os.environ["SEQUELA_AXE"])
PICTURES = pathlib.Path(os.environ["SEQUELA_PICTURES"])
SHOWN = HOSTILE.replace("\x01", "\ufffd")  # as the page shows it


@pytest.mark.parametrize("kind", [*RUNS, "all"])
def test_every_figure_is_drawn_without_a_fault(pages, open_page, kind):
    opened = open_page(pages[kind])
    figures = opened.draw_all()
    assert figures.count() > 0
    for i in range(figures.count()):
        figure = figures.nth(i)
        title = figure.get_attribute("data-title")
        assert figure.locator("svg path").count() > 3, title
        assert figure.locator("svg").bounding_box()["width"] > 250, title
        long = [text for text in figure.locator("svg text").all_text_contents() if re.search(r"\d\.\d{7}", text)]
        assert not long, f"{title}: {long}"
        assert figure.locator("tbody tr").count() > 0, title
    assert opened.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1400])
def test_nothing_overflows(pages, open_page, width, scheme):
    opened = open_page(pages["all"], width, scheme)
    opened.draw_all()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    for figure in opened.page.locator("figure").all():
        box = figure.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, figure.get_attribute("data-title")
    PICTURES.mkdir(parents=True, exist_ok=True)
    opened.page.screenshot(path=PICTURES / f"page-{width}-{scheme}.png", full_page=True)
    assert opened.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_axe_finds_nothing(pages, browser, open_page, scheme, width):
    opened = open_page(pages["all"], width, scheme)
    opened.draw_all()
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    opened.page.evaluate(AXE.read_text())  # by the debugger, which the page's policy does not bind
    found = opened.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found["violations"]] == []


@pytest.mark.parametrize("kind", [*RUNS, "all"])
def test_hostile_names_stay_texts(pages, open_page, kind):
    opened = open_page(pages[kind])
    opened.draw_all()
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    for svg in opened.page.locator("figure svg").all()[:6]:
        svg.hover()  # draws the tooltip
    assert opened.page.evaluate("window.hacked === undefined")
    assert opened.page.locator("img, iframe, main b, main script").count() == 0
    assert SHOWN in opened.page.evaluate("document.body.textContent")
    assert opened.faults == []


def test_a_foreign_script_does_not_run(pages, open_page, tmp_path):
    text = pages["evaluate"].read_text().replace("<main", "<script>window.hacked = 1</script><main", 1)
    path = tmp_path / "page.html"
    path.write_text(text)
    opened = open_page(path)
    assert opened.page.evaluate("window.hacked === undefined")
    assert any("Content Security Policy" in fault for fault in opened.faults)


def test_the_table_is_the_download(pages, open_page):
    opened = open_page(pages["evaluate"])
    figure = opened.page.locator("figure", has_text="ROC curve").first
    figure.locator("summary").click()
    with opened.page.expect_download() as download:
        figure.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.reader(io.StringIO(pathlib.Path(download.value.path()).read_bytes().decode())))
    assert rows[0] == ["Method", "False positive rate", "True positive rate", "Low", "High"]
    assert rows[1][0] == "MOTOR, probe" and float(rows[51][1]) == 0.5
    assert {row[0] for row in rows[1:]} == {"MOTOR, probe", "counts + XGBoost", SHOWN}
    assert download.value.suggested_filename.endswith(".csv")


def test_the_switch_changes_the_theme_and_the_figures(pages, open_page):
    opened = open_page(pages["evaluate"], scheme="dark")
    opened.draw_all()
    ground = "getComputedStyle(document.body).backgroundColor"
    line = "document.querySelector('figure svg path[stroke]').getAttribute('stroke')"
    strokes = "[...document.querySelectorAll('figure svg [stroke]')].map((one) => one.getAttribute('stroke')).join()"
    dark = [opened.page.evaluate(what) for what in (ground, line, strokes)]
    opened.page.get_by_role("button", name="Switch to light colours").click()
    light = [opened.page.evaluate(what) for what in (ground, line, strokes)]
    assert light[0] == "rgb(255, 255, 255)" and light[0] != dark[0]
    assert light[2] != dark[2]
    assert opened.page.get_by_role("button", name="Switch to dark colours").count() == 1


def test_keys_alone_reach_all(pages, open_page):
    opened = open_page(pages["evaluate"])
    opened.draw_all()
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "skip"
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.id") == "theme"
    button = opened.page.locator(".legend button").first
    button.focus()
    before = opened.page.locator("figure").first.locator("svg path").count()
    opened.page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    assert opened.page.locator("figure").first.locator("svg path").count() < before
    summary = opened.page.locator("figure summary").first
    summary.focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("figure table").first.is_visible()


def test_paper_has_all_figures_in_light_colours(pages, open_page):
    opened = open_page(pages["evaluate"], scheme="dark")
    opened.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator("figure svg").count() == opened.page.locator("figure").count()
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    PICTURES.mkdir(parents=True, exist_ok=True)
    opened.page.pdf(path=PICTURES / "page.pdf", format="A4")
    opened.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert opened.faults == []


def test_all_is_readable_without_javascript(pages, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["all"].as_uri())
    assert page.locator("button:visible").count() == 0
    page.locator("figure summary").first.click()
    assert page.locator("figure table").first.is_visible()
    context.close()


def test_what_is_out_of_sight_is_not_drawn_yet(tmp_path, sequela, open_page):
    run = write_run(tmp_path / "metrics", "evaluate", num_subjects=10_000, num_points=10_000)
    opened = open_page(pathlib.Path(sequela("report", run)))
    opened.page.locator("figure svg").first.wait_for()
    assert opened.page.locator("figure svg").count() < opened.page.locator("figure").count()
    opened.draw_all()
    assert opened.faults == []
