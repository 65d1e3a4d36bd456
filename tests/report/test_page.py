"""The report in a browser: light and dark, narrow, on paper, sorted, without JavaScript."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from descentlab.report.html import write_report

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = getComputedStyle(document.body).backgroundColor;
  const worst = {};
  const texts = "p, td, th, caption, figcaption, dt, dd, summary, .half";
  for (const element of document.querySelectorAll(texts)) {
    const style = getComputedStyle(element);
    const [low, high] = [light(style.color), light(paper)].sort((a, b) => a - b);
    worst[element.tagName] = Math.min(worst[element.tagName] ?? 99, (high + 0.05) / (low + 0.05));
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def report(fakes: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    return Path(write_report(fakes.logistic_descent(folder, seeds=3, records=11))).as_uri()


def test_it_opens_offline_without_a_fault(page: Any, report: str) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report)
    assert page.title() == "logistic-descent – DescentLab"
    assert requests == [report]
    assert page.locator("svg[role=img]").count() == 9  # curves, accuracy, one a method, by rate


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Any, report: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(report)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 22, 26)"}[scheme]
    worst = page.evaluate(CONTRAST)
    assert min(worst.values()) >= 4.5, worst
    line = page.locator("svg[role=img] path[style*='--c0']").first
    stroke = line.evaluate("e => getComputedStyle(e).stroke")
    assert stroke == {"light": "rgb(0, 97, 162)", "dark": "rgb(47, 121, 214)"}[scheme]


def test_the_theme_can_be_chosen(page: Any, report: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(report)
    page.get_by_role("button", name="Use dark colours").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"
    page.get_by_role("button", name="Use light colours").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_only_tables_and_plots_scroll_sideways(page: Any, report: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_labels_do_not_leave_their_plot(page: Any, report: str) -> None:
    page.goto(report)
    outside = page.evaluate("""() => [...document.querySelectorAll("figure svg[role=img]")]
    .flatMap((svg) => {
      const box = svg.getBoundingClientRect();
      return [...svg.querySelectorAll("text")].filter((text) => {
        const own = text.getBoundingClientRect();
        return own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1
          || own.bottom > box.bottom + 1;
      }).map((text) => text.textContent);
    })""")
    assert outside == []


def test_a_table_is_sorted_by_its_heading(page: Any, report: str) -> None:
    page.goto(report)
    page.locator("details > summary").first.click()
    table = page.locator("details table.sortable").first
    heading = table.get_by_role("columnheader", name="train accuracy")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    column = heading.evaluate("e => e.cellIndex + 1")
    cells = table.locator(f"tbody tr > :nth-child({column})")
    values = cells.evaluate_all("cells => cells.map((cell) => Number(cell.dataset.value))")
    assert values == sorted(values)
    assert len(values) == 56
    heading.get_by_role("button").press("Enter")
    values = cells.evaluate_all("cells => cells.map((cell) => Number(cell.dataset.value))")
    assert values == sorted(values, reverse=True)


def test_it_reads_without_javascript(browser: Any, report: str) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    opened = context.new_page()
    opened.goto(report)
    assert opened.get_by_text("has the lowest mean final train loss").is_visible()
    assert opened.locator("table.pivot").count() == 6
    assert opened.get_by_role("button").count() == 0
    context.close()


def test_paper_is_light_and_has_everything_open(page: Any, report: str, tmp_path: Path) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(report)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_text("hidden:").count() == 0  # this study has no hidden layers …
    assert page.get_by_text("binary_cross_entropy").first.is_visible()  # … but its YAML is shown
    target = tmp_path / "report.pdf"
    page.pdf(path=str(target), format="A4")
    assert target.stat().st_size > 20_000
