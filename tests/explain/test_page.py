"""The page and the terminal: everything is there, in either language, on any screen."""

from __future__ import annotations

import io
import re
import string
from functools import cache
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from descentlab.core.digits import latin
from descentlab.explain.exercise import library, load_exercise, parse_exercise
from descentlab.explain.graph import Builder, Graph, Quantity
from descentlab.explain.language import LANGUAGES, Language, catalogue
from descentlab.explain.showing.calculation import Calculation, calculation, worked
from descentlab.explain.showing.page import page
from descentlab.explain.showing.terminal import show

VOID = {"meta"}
SHOWN = ("backprop-2-2-1", "momentum-by-hand", "convolution-3x3", "newton-step")


@cache
def calculated(name: str, language: str = "en") -> Calculation:
    return worked(load_exercise(name), language)  # type: ignore[arg-type]


class Outline(HTMLParser):
    """Elements of a page, closed in their order; texts by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))


def printed(made: Calculation, language: Language, width: int = 80) -> str:
    out = io.StringIO()
    show(made, language, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_languages_have_the_same_messages_with_the_same_places():
    first, *others = (catalogue(code) for code in LANGUAGES)
    for other in others:
        assert other.keys() == first.keys()
        for key, text in first.items():
            assert places(other[key]) == places(text), key
            assert other[key].strip()


@pytest.mark.parametrize("name", sorted(library()))
def test_a_page_is_whole_and_needs_nothing(name):
    for code in LANGUAGES:
        text = page(calculated(name, code), Language(code))
        outline = Outline(text)
        tags = [tag for tag, _ in outline.seen]
        assert not {"script", "link", "img", "iframe"} & set(tags)
        assert "http://" not in text
        assert "https://" not in text
        root = outline.seen[0][1]
        assert (root["lang"], root["dir"]) == (code, "rtl" if code == "fa" else "ltr")
        assert all(a["dir"] == "ltr" for tag, a in outline.seen if tag == "math")
        headings = [tag for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert headings[0] == "h1"
        assert set(headings[1:]) == {"h2"}
        assert tags.count("caption") == tags.count("table")


@pytest.mark.parametrize("name", sorted(library()))
def test_all_that_is_asked_is_on_the_page_and_in_the_terminal(name):
    made = calculated(name)
    names = {text for tag, text in Outline(page(made, Language())).texts if tag == "code"}
    assert set(made.graph.asked) <= names
    out = printed(made, Language()).partition("\nResults\n")[2]
    for line in made.asked:
        value = re.search(rf" {line.name} = (-?[\d.e-]+|\[)", out)
        assert value is not None
        if line.value.shape == ():
            assert float(value[1]) == pytest.approx(float(line.value), rel=1e-3, abs=1e-12)


def test_persian_digits_are_in_every_formula_and_in_prose():
    made = calculated("momentum-by-hand", "fa")
    outline = Outline(page(made, Language("fa", persian_digits=True)))
    numbers = [text for tag, text in outline.texts if tag == "mn"]
    assert "۸٫۰۸" in numbers
    assert not any(set(text) & set(string.digits) for text in numbers)
    plain = Outline(page(made, Language("fa")))
    assert [latin(text) for text in numbers] == [t for tag, t in plain.texts if tag == "mn"]


def test_markup_in_a_title_is_text():
    text = "exercise: a\ntitle: <b>&\ntext: '<script>'\ngiven: {x: 1}\nquantities: {y: x + 1}"
    made = page(worked(parse_exercise(text)), Language())
    assert "&lt;b&gt;&amp;" in made
    assert "<script" not in made


@pytest.mark.parametrize("name", sorted(library()))
@pytest.mark.parametrize("width", [80, 120])
def test_no_line_in_the_terminal_is_wider_than_it(name, width):
    for code in LANGUAGES:
        out = printed(calculated(name, code), Language(code), width)
        assert max(map(cell_len, out.splitlines())) <= width
        assert "\u00a0" not in out


def test_the_terminal_shows_formula_numbers_and_result_in_one_line():
    out = printed(calculated("backprop-2-2-1"), Language())
    assert "H3 = w13·x1 + w23·x2 = 0.1×0.35 + 0.8×0.9 = 0.755\n" in out
    assert "∂E/∂w13 = ∂E/∂H3·∂H3/∂w13 = ∂E/∂H3·x1 = 0.002654×0.35 = 0.0009291\n" in out
    assert "\x1b" not in out


class Made:
    """A graph with a large array, and with a parameter that only the optimizer can give."""

    def __init__(self) -> None:
        builder = Builder()
        wide = np.arange(60.0).reshape(12, 5)
        builder.add(Quantity("x", "given", value=wide, base="x"), wide)
        builder.add(Quantity("w_new", "updated", base="w", of="x"), wide + 1)
        self.graph = Graph(builder.quantities, builder.values)
        self.values = builder.values

    def terms(self, quantity):
        return []


@pytest.mark.parametrize("code", LANGUAGES)
def test_large_arrays_are_shown_by_their_sizes(code):
    made = calculation("run", "a run", "", Made(), 4, notes=["noted"], solvable=False)
    for text in (printed(made, Language(code)), page(made, Language(code))):
        assert "12 × 5" in text
        assert "59" in text
        assert "noted" in text
        assert catalogue(code)["heading_results"] not in text


def test_colours_are_readable():
    css = (resources.files("descentlab.explain.showing") / "assets" / "explain.css").read_text(
        "utf-8"
    )
    blocks = re.findall(r":root \{(.*?)\}", css, re.S)
    assert len(blocks) == 2
    for block in blocks:
        colours = dict(re.findall(r"--(\w+): #([0-9a-f]{6})", block))
        for ink in ("ink", "muted", "accent"):
            for ground in ("paper", "panel"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast of two colours."""

    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.browser
@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("code", LANGUAGES)
def test_a_browser_shows_it_without_scrolling_sideways(page_of, name, code):
    shown = page_of(calculated(name, code), Language(code, persian_digits=code == "fa"))
    for width in (380, 1100):
        shown.set_viewport_size({"width": width, "height": 800})
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
    boxes = shown.evaluate("[...document.querySelectorAll('mfrac')].map(f => f.clientHeight)")
    letters = shown.evaluate("document.querySelector('mn').getBoundingClientRect().height")
    assert all(box > 1.2 * letters for box in boxes), "fractions are drawn as such"


@pytest.mark.browser
def test_nothing_is_cut_off_on_paper(page_of):
    shown = page_of(calculated("softmax-cross-entropy"), Language())
    shown.emulate_media(media="print")
    shown.set_viewport_size({"width": 690, "height": 1000})  # A4 less its margins
    width = shown.evaluate(
        "Math.max(...[...document.querySelectorAll('math')]"
        ".map(m => m.getBoundingClientRect().right))"
    )
    assert width <= 690


@pytest.fixture
def page_of(request, tmp_path):
    """Open a calculation's page in the system's browser."""
    opened = request.getfixturevalue("page")

    def open_it(made: Calculation, language: Language):
        file = tmp_path / "page.html"
        file.write_text(page(made, language), encoding="utf-8")
        opened.goto(file.as_uri())
        return opened

    return open_it
