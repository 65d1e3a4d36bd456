"""The page of an evaluation in a browser: light and dark, narrow, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from descentlab.report.evaluation.page import write_evaluation
from descentlab.report.evaluation.plots import Pictures
from tests.report.evaluation import fakes
from tests.report.test_page import CONTRAST

pytestmark = pytest.mark.browser

OUTSIDE = """() => [...document.querySelectorAll("figure svg[role=img]")].flatMap((svg) => {
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter((text) => {
    const own = text.getBoundingClientRect();
    return own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1
      || own.bottom > box.bottom + 1;
  }).map((text) => text.textContent);
})"""
OVERLAPPING = """() => [...document.querySelectorAll("figure svg[role=img]")].flatMap((svg) => {
  const texts = [...svg.querySelectorAll("text")].filter((t) => !t.getAttribute("transform"))
    .map((t) => [t.getBoundingClientRect(), t.textContent]);
  return texts.flatMap(([a, one], i) => texts.slice(i + 1).filter(([b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3
  ).map(([, other]) => `${one} / ${other}`));
})"""
CELLS = """() => {
  const canvas = document.createElement("canvas").getContext("2d");
  const paper = getComputedStyle(document.body).backgroundColor;
  const light = (r, g, b) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const pixel = (...colours) => {
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return light(...canvas.getImageData(0, 0, 1, 1).data);
  };
  const ink = pixel(getComputedStyle(document.body).color);
  return Math.min(...[...document.querySelectorAll(".drawn .hit, .drawn .miss")].map((cell) => {
    const [low, high] = [pixel(paper, getComputedStyle(cell).fill), ink].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }));
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("evaluations")
    generator = np.random.default_rng(0)
    labels, answers = generator.integers(0, 7, (2, 60))
    shown = Pictures(generator.random((60, 8, 8)), labels, answers, generator.random(60))
    long = tuple(f"{name} with a name that is much too long for a label" for name in fakes.HAM)
    cases = {
        "two": (fakes.two(), None),
        "ham": (fakes.ham(), shown),
        "absent": (fakes.with_absent(), None),
        "digits": (fakes.digits(), None),
        "twenty": (fakes.evaluation([f"label-{i}" for i in range(20)], [900] * 20, 2.0), None),
        "hundred": (fakes.hundred(), None),
        "long": (fakes.evaluation(long), None),
    }
    for name, (found, pictures) in cases.items():
        path = folder / f"{name}.html"
        write_evaluation(found, path, title=name, source="predictions.npz", pictures=pictures)
    return {name: (folder / f"{name}.html").as_uri() for name in cases}


def test_it_opens_offline_without_a_fault(page: Any, files: dict[str, str]) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(files["ham"])
    assert [url for url in requests if not url.startswith("data:")] == [files["ham"]]
    loaded = page.evaluate("[...document.images].map((i) => i.complete && i.naturalWidth)")
    assert len(loaded) > 24
    assert set(loaded) == {8}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Any, files: dict[str, str], scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(files["absent"])
    worst = page.evaluate(CONTRAST)
    assert min(worst.values()) >= 4.5, worst
    page.goto(files["digits"])
    assert page.evaluate(CELLS) >= 4.5


@pytest.mark.parametrize("name", ["two", "ham", "digits", "twenty", "hundred", "long"])
def test_labels_stay_in_their_plot_and_apart(page: Any, files: dict[str, str], name: str) -> None:
    page.goto(files[name])
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(OVERLAPPING) == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_only_tables_and_plots_scroll_sideways(
    page: Any, files: dict[str, str], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name in ("ham", "hundred", "long"):
        page.goto(files[name])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_the_table_of_classes_is_sorted_by_its_heading(page: Any, files: dict[str, str]) -> None:
    page.goto(files["absent"])
    table = page.locator("table.sortable").first
    heading = table.get_by_role("columnheader", name="Recall")
    heading.get_by_role("button").click()
    column = heading.evaluate("e => e.cellIndex + 1")
    cells = table.locator(f"tbody tr > :nth-child({column})")
    values = cells.evaluate_all("cells => cells.map((cell) => cell.dataset.value)")
    assert values[-1] == ""  # undefined
    known = [float(value) for value in values[:-1]]
    assert known == sorted(known)


def test_paper_is_light_and_has_everything_open(
    page: Any, files: dict[str, str], tmp_path: Path
) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(files["hundred"])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".head-only").first.is_hidden()
    folded = page.locator("details table").first
    assert folded.is_visible()
    target = tmp_path / "report.pdf"
    page.pdf(path=str(target), format="A4")
    assert target.stat().st_size > 20_000
