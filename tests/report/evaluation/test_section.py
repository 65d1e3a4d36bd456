from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from descentlab.evaluation.results import Evaluation
from descentlab.report.evaluation.page import evaluation_page, write_evaluation
from descentlab.report.evaluation.plots import Pictures
from descentlab.report.evaluation.section import evaluation_section
from descentlab.report.evaluation.wording import percent
from tests.report.evaluation import fakes
from tests.report.test_html import EVIL, Document

CASES = {
    "two": fakes.two,
    "ham": fakes.ham,
    "absent": fakes.with_absent,
    "digits": fakes.digits,
    "hundred": fakes.hundred,
    "without scores": lambda: fakes.ham(scores=False),
    "without width": lambda: fakes.without_width(fakes.ham()),
    "one example": lambda: fakes.evaluation(("a", "b"), (1, 0), 1.0, target=0.5),
}


def pictures(classes: int = 7) -> Pictures:
    generator = np.random.default_rng(0)
    labels, predictions = generator.integers(0, classes, (2, 40))
    return Pictures(generator.random((40, 8, 8)), labels, predictions, generator.random(40))


def page_of(found: Evaluation, shown: Pictures | None = None) -> str:
    return evaluation_page(found, title="Skin", source="predictions.npz", pictures=shown)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: page_of(make()) for name, make in CASES.items()} | {
        "pictures": page_of(fakes.ham(), pictures())
    }


@pytest.mark.parametrize("name", [*CASES, "pictures"])
def test_it_is_one_well_formed_file_that_needs_no_other(pages: dict[str, str], name: str) -> None:
    text = pages[name]
    found = Document(text)
    for element, attributes in found.elements:
        assert element not in {"link", "iframe", "object", "embed", "base"}
        for attribute, value in attributes.items():
            if attribute in {"src", "href", "xlink:href", "action", "srcset"}:
                assert value and value.startswith("data:image/png;base64,"), (element, value)
            assert not attribute.startswith("on"), (element, attribute)
    assert not re.search(r"@import|url\((?!#)|https?:", text)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for target in re.findall(r"url\(#([^)]+)\)", text):
        assert target in ids
    assert not re.search(r"\bnan\b", re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.S))
    assert len(text.encode()) < 700_000


@pytest.mark.parametrize("name", [*CASES, "pictures"])
def test_it_can_be_read_by_those_who_do_not_see_it(pages: dict[str, str], name: str) -> None:
    found = Document(pages[name])
    ids = {attributes.get("id") for _, attributes in found.elements}
    for attributes in found.named("svg"):
        labels = (attributes.get("aria-labelledby") or "").split()
        assert attributes.get("aria-hidden") == "true" or (labels and set(labels) <= ids)
    for attributes in found.named("section"):
        assert attributes["aria-labelledby"] in ids
    assert len(found.named("caption")) == len(found.named("table"))
    assert all("scope" in attributes for attributes in found.named("th"))
    assert all(attributes["alt"] for attributes in found.named("img"))
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_the_parts_are_there_in_order(pages: dict[str, str]) -> None:
    text = pages["pictures"].split("</style>")[1]
    found = fakes.ham()
    marks = [
        "<h1>Skin</h1>", "predictions.npz", found.verdict[0].replace("'", "&#x27;"), ">Figures<",
        "0.851–0.880", ">balanced accuracy<", ">Recall targets<", ">By class<",
        ">What is taken for what<", "The matrix as tables", "The confusions as a table",
        ">ROC and precision–recall<", ">Calibration<", 'id="e-examples">Examples<', "Wrong: 24 of",
        ">Notes<",
        "How the intervals were made", "Dirichlet posterior: balanced accuracy",
    ]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_the_matrix_is_a_table_too(pages: dict[str, str]) -> None:
    found = fakes.ham()
    assert found.matrix is not None
    tables = pages["ham"].split("The matrix as tables")[1].split("</table>")[:3]
    counts, by_row, by_column = (re.findall(r'<td class="number">([^<]+)</td>', t) for t in tables)
    assert [int(cell.replace(",", "")) for cell in counts] == found.matrix.ravel().tolist()
    size = len(found.classes)
    recall = found.per_class[0].hits / found.per_class[0].support
    precision = found.per_class[0].hits / found.per_class[0].predicted
    assert [by_row[0], by_column[0]] == [percent(recall), percent(precision)]
    assert len(by_row) == len(by_column) == size * size


def test_what_is_undefined_says_why(pages: dict[str, str]) -> None:
    text = pages["absent"]
    assert text.count('class="undefined" data-value="">undefined (n = 0)</td>') >= 3
    assert "undefined (never predicted)" in text
    assert text.count("over 6 of 7 classes</small>") == 5
    assert "over 6 of 7 classes, without vasc." in text


def test_baselines_stand_beside_the_figures(pages: dict[str, str]) -> None:
    row = pages["ham"].split('<th scope="row">accuracy</th>')[1].split("</tr>")[0]
    assert re.findall(r">([\d.]+)<", row)[-2:] == ["0.669", "0.448"]


def test_many_classes_are_folded_but_there(pages: dict[str, str]) -> None:
    text = pages["hundred"]
    assert "The 15 of 100 classes with the lowest recall." in text
    whole = text.split("<summary>All 100 classes</summary>")[1].split("</table>")[0]
    assert whole.count("<tr>") == 101
    assert "Is the target reached? yes: " in text


def test_thousands_of_classes_stay_a_page() -> None:
    names = [f"word {i}" for i in range(3000)]
    few = fakes.evaluation(names[:3], (3, 3, 3), 1.0, target=0.5)
    each, target = few.per_class[0], few.targets[0]
    found = replace(
        few,
        classes=tuple(names),
        matrix=None,
        per_class=tuple(replace(each, name=name) for name in names),
        targets=tuple(replace(target, name=name) for name in names),
    )
    text = page_of(found)
    Document(text)
    assert "1,000 of 3,000 classes" in text
    assert len(text.encode()) < 2_000_000


def test_without_scores_it_says_what_is_missing(pages: dict[str, str]) -> None:
    text = pages["without scores"]
    assert "There are no scores, only predictions" in text
    assert ">Calibration<" not in text
    assert "AUC<" not in text
    assert "none, predictions alone" in text


def test_two_sections_live_in_one_page() -> None:
    text = "".join(
        evaluation_section(fakes.ham(), key=key, heading_level=3, heading=f"Model {key}")
        for key in ("one", "two")
    )
    found = Document(text)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(ident and ident.startswith(("one-", "two-")) for ident in ids)
    assert len(found.named("h3")) == 2
    assert len(found.named("h4")) > 10
    assert not found.named("h2")


@pytest.mark.parametrize("where", ["class", "verdict", "note", "reason", "title", "source"])
def test_nothing_that_comes_from_outside_becomes_markup(where: str) -> None:
    found, title, source = fakes.with_absent(), "t", "s"
    if where == "class":
        found = fakes.evaluation((EVIL, "b" + EVIL, "c"), (30, 50, 10), 1.0, target=0.5)
    elif where == "verdict":
        found = replace(found, verdict=(EVIL, EVIL))
    elif where == "note":
        found = replace(found, notes=(EVIL,))
    elif where == "reason":
        last = found.per_class[-1]
        bad = replace(last, recall=replace(last.recall, reason=EVIL))
        found = replace(found, per_class=(*found.per_class[:-1], bad))
    elif where == "title":
        title = EVIL
    else:
        source = EVIL
    shown = pictures(3) if where == "class" else None
    document = Document(evaluation_page(found, title=title, source=source, pictures=shown))
    assert len(document.named("script")) == len(document.named("style")) == 1
    assert "".join(document.text).count('alert("x")') > 0


def test_pictures_are_allowed_only_where_there_are_any(pages: dict[str, str]) -> None:
    def policy(text: str) -> str:
        found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
        assert found
        return found[1]

    assert policy(pages["pictures"]).endswith("; img-src data:")
    assert "img-src" not in policy(pages["ham"])
    named = page_of(replace(fakes.ham(), notes=('src="data:image/png;base64,x"',)))
    assert "img-src" not in policy(named)


def test_it_is_written_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_evaluation(fakes.two(), path, title="Benign – malignant", source="a.csv")
    text = path.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "<title>Benign – malignant – DescentLab</title>" in text
    write_evaluation(fakes.two(), path, title="Benign – malignant", source="a.csv")
    assert path.read_text("utf-8") == text
