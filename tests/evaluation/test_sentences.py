"""How numbers and names stand in sentences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descentlab.evaluation.proportions import PairedAccuracy, wilson
from descentlab.evaluation.results import Estimate
from descentlab.evaluation.sentences import (
    LONGEST,
    figure,
    level_name,
    p_value,
    percent,
    plain,
    points,
    share_of,
)


@settings(max_examples=300)
@given(st.integers(1, 10**7), st.data())
def test_what_is_not_all_is_never_all(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.one_of(st.integers(0, n), st.integers(0, min(9, n)).map(lambda k: n - k)))
    low, high = wilson(hits, n)
    text = share_of(Estimate(hits / n, float(low), float(high)))
    assert (float(text.split(" ")[0]) in (0, 100)) == (hits in (0, n))
    value, _, ends = text.partition(" % [")
    lower, upper = ends.rstrip("]").split(", ")
    assert len({len(each.partition(".")[2]) for each in (value, lower, upper)}) == 1
    assert float(value) == pytest.approx(100 * hits / n, abs=0.051)
    assert (percent(hits / n) in ("0 %", "100 %")) == (hits in (0, n))


@settings(max_examples=300)
@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(6000, 10**7))
def test_points_have_signs_and_digits_enough(b: int, c: int, n: int) -> None:
    gap = PairedAccuracy.of(b, c, n)
    texts = points(gap)
    for text, value in zip(texts, (gap.difference, gap.low, gap.high), strict=True):
        number = float(text.replace("−", "-"))
        assert number == pytest.approx(100 * value, abs=0.05 * 100 * (gap.high - gap.low))
        assert text[0] in ("+−" if number else "0")
    assert (float(texts[0].replace("−", "-")) == 0) == (b == c)


@pytest.mark.parametrize(
    ("p", "level", "text"),
    [
        (0.234, 0.95, "= 0.23"), (1.0, 0.95, "= 1"), (0.0, 0.95, "< 0.0001"),
        (3e-5, 0.95, "< 0.0001"), (0.0498, 0.95, "= 0.0498"), (0.0502, 0.95, "= 0.05"),
        (0.99995, 0.95, "> 0.999"), (0.997, 0.95, "= 0.997"),
    ],
)  # fmt: skip
def test_a_p_value_is_on_its_side_of_the_level(p: float, level: float, text: str) -> None:
    assert p_value(p, level) == text


def test_levels_figures_and_names() -> None:
    assert [level_name(x) for x in (0.95, 0.999, 0.55, 0.9)] == ["95 %", "99.9 %", "55 %", "90 %"]
    assert figure(Estimate(0.99996, 0.9999, 1.0)) == "0.999960 [0.999900, 1.000000]"
    assert figure(Estimate(0.5)) == "0.500"
    assert (
        figure(Estimate(0.5, 0.4, 0.6, over=(0, 2)), 3)
        == "0.500 [0.400, 0.600] over 2 of 3 classes"
    )
    assert figure(Estimate.undefined("undefined (n = 0)"), 3) == "undefined (n = 0)"
    assert plain("melanocytic nevus") == "melanocytic nevus"
    assert plain("a\nb\x1b") == "a\\nb\\x1b"
    long = "first" + "x" * 300 + "last"
    assert len(plain(long)) == LONGEST
    assert plain(long).startswith("first") and plain(long).endswith("last")
