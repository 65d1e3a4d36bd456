from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from descentlab.report.html import page, write_report
from descentlab.report.markup import VOID, Markup, escape, tag

EVIL = '<script>alert("x")</script>&amp;"\'</style></title></svg>'


class Document(HTMLParser):
    """Elements in order, with a check that every one is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.stack, f"never closed: {self.stack}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack[-3:]}"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.stack):
            self.text.append(data)

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


CASES = ["logistic_descent", "mnist_ten", "digits", "with_divergence", "incomplete"]


@pytest.fixture(scope="module")
def pages(fakes: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    small = {"logistic_descent": {"seeds": 3, "records": 21}}
    return {name: page(getattr(fakes, name)(folder, **small.get(name, {}))) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_it_is_one_well_formed_file_that_needs_no_other(pages: dict[str, str], name: str) -> None:
    text = pages[name]
    found = Document(text)
    for element, attributes in found.elements:
        assert element not in {"link", "iframe", "object", "embed", "img", "base"}
        for attribute, value in attributes.items():
            if attribute in {"src", "href", "xlink:href", "action", "srcset"}:
                assert value and value.startswith("#"), (element, attribute, value)
            assert not attribute.startswith("on"), (element, attribute)
    assert not re.search(r"@import|url\((?!#)", text)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(text.encode()) < 3_000_000


@pytest.mark.parametrize("name", CASES)
def test_it_can_be_read_by_those_who_do_not_see_it(pages: dict[str, str], name: str) -> None:
    found = Document(pages[name])
    ids = {attributes.get("id") for _, attributes in found.elements}
    for attributes in found.named("svg"):
        labels = (attributes.get("aria-labelledby") or "").split()
        assert attributes.get("aria-hidden") == "true" or (labels and set(labels) <= ids)
    assert len(found.named("caption")) == len(found.named("table"))
    assert all("scope" in attributes for attributes in found.named("th"))
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert found.named("html")[0]["lang"] == "en"


def test_the_parts_are_there_in_order(pages: dict[str, str]) -> None:
    text = pages["digits"]
    marks = [
        "<h1>digits-optimizers</h1>", "Which optimizer trains", ">Answer<", ">Results<", ">Curves<",
        ">By activation and optimizer<", ">What the figures mean<", ">The study<",
        "hidden: [64, 32]", ">Provenance<", "An imaginary processor", "3f3f3f",
        "--metric test_accuracy",
    ]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "Student’s t intervals" in text


def test_figures_in_the_table_are_those_of_the_runs(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.mnist_ten(tmp_path)
    text = page(result)
    for configuration in result.configurations:
        values = [result.runs[configuration.id, seed]["test_accuracy"][-1] for seed in range(5)]
        written = re.findall(r'data-value="(0\.\d+)"', text)
        assert any(float(w) == pytest.approx(np.mean(values), rel=1e-12) for w in written)


@pytest.mark.parametrize("where", ["name", "question", "label", "factor", "yaml", "provenance"])
def test_nothing_that_comes_from_outside_becomes_markup(
    fakes: ModuleType, tmp_path: Path, where: str
) -> None:
    result = fakes.digits(tmp_path, seeds=2, epochs=2)
    if where in ("name", "question"):
        setattr(result.study, where, EVIL)
    elif where == "yaml":
        result.resolved["run"]["note"] = EVIL
    elif where == "provenance":
        result.provenance["sessions"][0]["device"] = EVIL
        result.provenance["data"] = [{"name": EVIL, EVIL: [EVIL, {EVIL: 1}]}]
    for configuration in result.configurations:
        if where == "label":
            configuration.labels["optimizer"] += EVIL
        if where == "factor":
            configuration.labels[EVIL] = configuration.labels.pop("optimizer")
    if where == "factor":
        result.factors = ["model.activation", EVIL]
        result.study.report.columns = EVIL
    found = Document(page(result))
    assert len(found.named("script")) == 1
    assert "".join(found.text).count('alert("x")') > 0
    assert len(found.named("style")) == len(found.named("body")) == 1


def test_no_script_but_the_pages_own_may_run(pages: dict[str, str]) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', pages["digits"])
    assert policy
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "script-src &#x27;sha256-" in policy[1]


def test_an_unfinished_study_says_so_first(pages: dict[str, str]) -> None:
    text = pages["incomplete"]
    assert text.index("33 of 45 planned runs are finished") < text.index(">Answer<")
    assert "not run yet" in text


def test_divergence_is_shown(pages: dict[str, str]) -> None:
    text = pages["with_divergence"]
    assert "diverged 2/5" in text
    assert "diverged 5/5" in text
    assert "× marks the last record of a run that diverged." in text
    assert "A run diverged when" in text


def test_one_seed_says_that_it_cannot_tell(fakes: ModuleType, tmp_path: Path) -> None:
    text = page(fakes.mnist_ten(tmp_path, seeds=1))
    assert "with one seed it can’t tell" in text
    assert "With one seed there is no interval" in text
    assert "One seed: there is no band" in text
    assert "±" not in text.split(">What the figures mean<")[0].split("</style>")[1]


def test_metrics_are_explained_as_they_were_computed(
    fakes: ModuleType, tmp_path: Path, pages: dict[str, str]
) -> None:
    assert "parameters move from batch to batch, and dropout is on." in pages["mnist_ten"]
    assert "test set with the parameters of that moment, with dropout off." in pages["mnist_ten"]
    assert "parameters move from batch to batch." in pages["digits"]
    assert "whole training set with the parameters of that moment." in pages["logistic_descent"]
    result = fakes.mnist_ten(tmp_path, seeds=2, epochs=2)
    result.resolved["run"]["evaluate_dropout"] = True
    assert "with dropout left on (evaluate_dropout: true)" in page(result)
    result.configurations[0].values["evaluate_dropout"] = False
    assert "with dropout left on in some configurations" in page(result)


def test_a_study_without_any_run(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.digits(tmp_path)
    result.runs = {}
    result.provenance = {"sessions": []}
    text = page(result)
    Document(text)
    assert "none of the 45 planned runs is finished yet" in text
    assert "The results folder does not say." in text


def test_where_results_come_from(pages: dict[str, str]) -> None:
    text = pages["digits"].split(">Provenance<")[1]
    for fact in (
        "2026-03-01T09:30:00+00:00",
        "42 s; 6 compilations, 3.2 s together",
        "descentlab 0.1.0, jax 0.10.2, numpy 2.4.6",
        "vmap:64x2 (1 cohort)",
        "train: 1438; test: 359",
    ):
        assert fact in text


def test_sessions_that_differ_are_flagged(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.digits(tmp_path, seeds=2, epochs=2)
    first = result.provenance["sessions"][0]
    result.provenance["sessions"] = [first, {**first, "source": "ab" * 32}]
    text = page(result)
    assert "The sessions differ" in text
    assert "Session 2 of 2" in text
    assert "1 min 23 s" in text  # both sessions together


def test_a_large_study_stays_small_and_says_what_is_left_out(
    fakes: ModuleType, tmp_path: Path
) -> None:
    text = page(fakes.large(tmp_path, configurations=900))
    Document(text)
    assert len(text.encode()) < 1_000_000
    assert "200 of 900 configurations" in text
    assert "700 configurations between are left out" in text
    assert "The best six and the worst two of 900 configurations." in text
    assert "18 columns are left out." in text


def test_the_same_result_gives_the_same_file(fakes: ModuleType, tmp_path: Path) -> None:
    one, other = (page(fakes.digits(tmp_path, seeds=2, epochs=3)) for _ in range(2))
    assert one == other


def test_it_is_written_into_the_folder(fakes: ModuleType, tmp_path: Path) -> None:
    path = Path(write_report(fakes.digits(tmp_path, seeds=2, epochs=2)))
    assert path == tmp_path / "report.html"
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_tags_escape_what_is_not_markup() -> None:
    assert tag("p", "a < b", class_="x", title='"', hidden=True, id=None) == (
        '<p class="x" title="&quot;" hidden>a &lt; b</p>'
    )
    assert escape(Markup("<b>")) == "<b>"
    assert tag("meta", name="a") == '<meta name="a">'
