"""Formulas on paper and in one line: read back by their signs alone, they mean the same."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from descentlab.core.formulas import Binary, Minus, Number, parse, written
from descentlab.core.formulas.functions import FUNCTIONS
from descentlab.explain.exercise import library, load_exercise
from descentlab.explain.language import Language
from descentlab.explain.showing.elements import element, html
from descentlab.explain.showing.mathml import Formulas
from descentlab.explain.showing.plain import Plain
from descentlab.explain.showing.symbols import Derivative, Symbol, symbol_of

CORE = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msup", "msub", "msubsup", "msqrt",
    "munder", "mover", "mtable", "mtr", "mtd",
}  # fmt: skip


def formulas(ranks=None, signs=None, language=None) -> Formulas:
    return Formulas(signs or {}, ranks or {}, language or Language())


def leaves(number: int) -> Number:
    return Number(float(number), str(number))


def trees():
    numbers = st.integers(-9, 9).map(leaves)

    def grown(inner):
        operation = st.tuples(st.sampled_from("+-*/"), inner, inner)
        power = st.tuples(inner, st.integers(0, 3).map(leaves))
        return st.one_of(
            operation.map(lambda parts: Binary(*parts)),
            power.map(lambda parts: Binary("^", *parts)),
            inner.map(Minus),
        )

    return st.recursive(numbers, grown, max_leaves=8)


def exact(tree) -> Fraction:
    """Return a formula's value in exact arithmetic."""
    if isinstance(tree, Number):
        return Fraction(int(tree.value))
    if isinstance(tree, Minus):
        return -exact(tree.of)
    a, b = exact(tree.left), exact(tree.right)
    if tree.sign == "^":
        return a**b
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[
        tree.sign
    ]()


SIGNS = {"−": "-", "×": "*", "⋅": "*", "+": "+", "(": "(", ")": ")"}


def read(part) -> str:
    """Return the arithmetic that a reader of MathML sees; only bars and raised digits group."""
    children = list(part)
    if part.tag == "mn":
        return f"Fraction({part.text})"
    if part.tag == "mo":
        return SIGNS[part.text]
    if part.tag == "mfrac":
        return f"(({read(children[0])})/({read(children[1])}))"
    if part.tag == "msup":
        base = children[0]
        assert base.tag not in ("mfrac", "msup"), "a power of it needs brackets"
        return f"{read(base)}**({read(children[1])})"
    assert part.tag in ("mrow", "math"), part.tag
    return "".join(map(read, children))


@given(trees())
def test_mathml_read_by_its_signs_has_the_same_value(tree):
    try:
        expected = exact(tree)
    except ZeroDivisionError:
        assume(False)
        return
    made = ElementTree.fromstring(html(formulas().math(formulas().write(tree))))
    assert eval(read(made), {"Fraction": Fraction}) == expected


@given(trees())
def test_a_line_of_text_has_the_same_value(tree):
    try:
        expected = exact(tree)
    except ZeroDivisionError:
        assume(False)
        return
    for times in "×·":
        text = Plain({}, times=times).write(tree)
        assert exact(parse(text.replace("²", "^2").replace("³", "^3"))) == expected, text
        assert "--" not in text
        assert "+ -" not in text


@pytest.fixture(params=["en", "fa"])
def language(request):
    return Language(request.param, persian_digits=request.param == "fa")


def test_every_function_has_a_form(language):
    for name, function in FUNCTIONS.items():
        text = f"{name}({', '.join(f'q{i}' for i in range(len(function.arguments)))})"
        made = formulas({"q0": 1, "q1": 1}, language=language).write(parse(text))
        inside = ElementTree.fromstring(html(made))
        assert {part.tag for part in inside.iter()} <= CORE
        assert "".join(inside.itertext()).strip()


@pytest.mark.parametrize("name", sorted(library()))
def test_shipped_formulas_are_mathml_core(name):
    from descentlab.explain.build import build

    graph = build(load_exercise(name))
    for quantity in graph:
        if quantity.formula is not None:
            made = ElementTree.fromstring(html(formulas().write(quantity.formula)))
            assert {part.tag for part in made.iter()} <= CORE


def tags(text: str, **how) -> str:
    """Return a formula's MathML without attributes."""
    made = formulas(**how).write(parse(text))
    for part in made.iter():
        part.attrib.clear()
    return html(made)


def test_forms():
    assert tags("a/b") == "<mfrac><mi>a</mi><mi>b</mi></mfrac>"
    assert tags("sqrt(a)") == "<msqrt><mi>a</mi></msqrt>"
    assert tags("exp(a)") == "<msup><mi>e</mi><mi>a</mi></msup>"
    assert tags("transpose(A)") == "<msup><mi>A</mi><mi>T</mi></msup>"
    assert "⊙" in tags("a*b", ranks={"a": 1, "b": 1})
    assert "⊙" not in tags("a*b", ranks={"a": 1, "b": 0})
    assert "⊙" not in tags("a*dot(b, b)", ranks={"a": 1, "b": 1})
    assert "⊙" in tags("a*(W @ b)", ranks={"a": 1, "b": 1, "W": 2})
    assert "T" in tags("x @ W", ranks={"x": 1, "W": 2}), "a vector on the left is a row"
    assert "T" not in tags("W @ x", ranks={"x": 1, "W": 2})
    assert tags("[[1, 2], [3, 4]]").count("<mtr>") == 2
    assert tags("[1, 2, 3]").count("<mtr>") == 3
    assert tags("[1, 2, 3, 4, 5]").count("<mtr>") == 1, "long vectors lie down"
    assert "<mn>10</mn><mrow><mo>−</mo><mn>5</mn></mrow>" in tags("2e-5")


def test_symbols():
    write = formulas().sign
    assert html(write(symbol_of("w13"))) == "<msub><mi>w</mi><mrow><mn>13</mn></mrow></msub>"
    slope = write(Derivative(Symbol("E"), symbol_of("w13")))
    assert slope.tag == "mfrac"
    assert ["".join(half.itertext()) for half in slope] == ["∂E", "∂w13"]
    assert "".join(write(Symbol("y", step=2)).itertext()) == "y(2)"
    assert "new" in "".join(write(Symbol("w", number="1", new=True)).itertext())


def test_persian_digits_are_everywhere_in_a_formula():
    how = formulas(language=Language("fa", persian_digits=True), signs={"w1": symbol_of("w1")})
    text = "".join(how.write(parse("2.5e-3*w1^2 + h[3]")).itertext())
    assert not set(text) & set("0123456789")
    assert "۲٫۵" in text


def test_names_are_escaped():
    made = html(element("mi", "<script>&", class_='"'))
    assert made == '<mi class="&quot;">&lt;script&gt;&amp;</mi>'


def test_derivatives_in_a_line_of_text_keep_together():
    signs = {"d": Derivative(Symbol("E"), Symbol("w")), "v": Symbol("v", step=1)}
    assert Plain(signs).write(parse("d^2/d + a/d*v^2")) == "(∂E/∂w)²/(∂E/∂w) + a/(∂E/∂w)·(v⁽¹⁾)²"
    assert written(parse("d^2")) == "d^2"
