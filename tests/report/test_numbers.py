from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from descentlab.report import numbers

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")

means = st.floats(-1e9, 1e9) | st.floats(-1, 1) | st.floats(1e-12, 1e-3)
halves = st.floats(1e-12, 1e6)


def parsed(text: str, power: str = "") -> float:
    factor = 10.0 ** int(power.removeprefix("10").translate(SUPERSCRIPTS)) if power else 1.0
    return float(text.replace(numbers.MINUS, "-")) * factor


def last_place(text: str, power: str) -> float:
    """The value of one unit in the last digit that is shown."""
    return parsed("1", power) * 10.0 ** -len(text.partition(".")[2])


@pytest.mark.parametrize(
    ("mean", "half", "expected"),
    [
        (0.95073, 0.0012, "0.9507 ± 0.0012"),
        (0.95073, 0.00047, "0.9507 ± 0.0005"),
        (0.95073, 0.0042, "0.951 ± 0.004"),
        (0.0002, 0.00001, "0.000200 ± 0.000010"),
        (0.0002345, 0.0000043, "0.000235 ± 0.000004"),
        (0.9996, 0.00096, "0.9996 ± 0.0010"),
        (1.3e-7, 2e-9, "(1.300 ± 0.020) × 10⁻⁷"),
        (1234567.0, 3e3, "(1.2346 ± 0.0030) × 10⁶"),
        (12.3, 340.0, "10 ± 340"),
        (-0.0004, 0.01, "0.000 ± 0.010"),
        (0.5, None, "0.5"),
        (0.0002, None, "0.0002"),
        (0.006, 0.0, "0.006000 ± 0"),
        (0.50612345678, 5e-9, "0.506123 ± <0.000001"),
        (math.nan, 0.1, "–"),
        (0.0, 0.0, "0 ± 0"),
    ],
)
def test_figures_as_a_person_writes_them(mean: float, half: float | None, expected: str) -> None:
    assert str(numbers.estimate(mean, half)) == expected


# The Particle Data Group's own examples of its rule.
@pytest.mark.parametrize(
    ("half", "expected"), [(0.119, "0.83 ± 0.12"), (0.367, "0.8 ± 0.4"), (0.0967, "0.83 ± 0.10")]
)
def test_the_rule_at_its_borders(half: float, expected: str) -> None:
    assert str(numbers.estimate(0.827, half)) == expected


@given(means, halves)
def test_never_more_digits_than_the_interval_supports(mean: float, half: float) -> None:
    found = numbers.estimate(mean, half)
    assume(found.power or half < 95)  # beyond, trailing zeros before the point say nothing
    unit = last_place(found.mean, found.power)
    assert unit >= half / 100 * 0.999  # the half-width shows two significant digits at most
    if not found.half.startswith("<"):
        assert last_place(found.half, found.power) == pytest.approx(unit)


@given(means, halves)
def test_rounding_is_small_against_the_interval(mean: float, half: float) -> None:
    found = numbers.estimate(mean, half)
    assume(not found.half.startswith("<"))
    assert abs(parsed(found.mean, found.power) - mean) <= 0.15 * half * 1.001 + 1e-6 * abs(mean)
    assert parsed(found.half, found.power) == pytest.approx(half, rel=0.15)


@given(means, halves)
def test_numbers_of_moderate_size_are_written_out(mean: float, half: float) -> None:
    size = max(abs(mean), half)
    assume(1e-5 <= size < 999_999)
    found = numbers.estimate(mean, half)
    assert not found.power
    assert "e" not in str(found)
    assert len(found.mean) <= 12


@given(means | st.floats(-1e308, 1e308) | st.sampled_from([math.nan, math.inf]))
def test_a_lone_value_keeps_four_digits(number: float) -> None:
    text = numbers.value(number)
    assert text
    if math.isfinite(number):
        mantissa, _, power = text.partition(" × ")
        assert parsed(mantissa, power) == pytest.approx(number, rel=5.01e-4, abs=1e-280)
        assert sum(c.isdigit() for c in mantissa.lstrip("−0.")) <= 6
    else:
        assert text == "–"


@given(st.floats(-1e5, 1e5), st.floats(1e-6, 1e4))
def test_the_ends_of_an_interval_are_in_order(low: float, width: float) -> None:
    assume(low + width > low)
    first, last = (parsed(*text.partition(" × ")[::2]) for text in numbers.ends(low, low + width))
    assert first <= last
    assert first == pytest.approx(low, abs=0.1 * width + 6e-6 * abs(low))


@given(st.floats(-1e300, 1e300), st.floats(0, 1e300))
def test_any_figure_can_be_written(mean: float, half: float) -> None:
    assert str(numbers.estimate(mean, half))
    assert all(numbers.ends(mean - half, mean + half))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.42 s"), (3.27, "3.3 s"), (41.7, "42 s"), (250, "4 min 10 s"), (7500, "2 h 5 min")],
)
def test_time_spans(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text
