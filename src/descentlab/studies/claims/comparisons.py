"""From claims to comparisons, before anything is trained: what is set against what."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from descentlab.core.errors import SpecError
from descentlab.studies.claims.selection import Cell, Configurations
from descentlab.studies.claims.spec import (
    Best,
    Better,
    Claim,
    Equivalent,
    Orders,
    Reaches,
    Selection,
    Slope,
)
from descentlab.studies.configurations import Configuration
from descentlab.studies.labels import text_of
from descentlab.studies.spec import Study

FEWEST_VALUES = 3
"""Values of the factor below which a line says nothing about how straight it is."""


@dataclass(frozen=True)
class Comparison:
    """Two sides in cells; without a second side, one is compared with a target.

    Attributes:
        a: the first side in words.
        b: the second.
        cells: what is paired with what.
        left_out: configurations of either side that have no partner.
        points: of a slope, the values of the factor, one a cell.
    """

    a: str
    b: str
    cells: tuple[Cell, ...]
    left_out: tuple[str, ...] = ()
    points: tuple[float, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The configurations that are compared."""
        return [name for cell in self.cells for side in cell for name in side]


@dataclass(frozen=True)
class Planned:
    """A claim with its name and comparisons."""

    claim: Claim
    name: str
    where: str
    comparisons: tuple[Comparison, ...] = field(default=())


def plan_claims(study: Study, configurations: Sequence[Configuration]) -> list[Planned]:
    """Find what each claim of a study compares.

    Raises:
        SpecError: an unknown factor, a side without configurations or the same as the
            other, sides that share nothing by which they could be paired.
    """
    if not study.claims:
        return []
    known = Configurations(study, configurations)
    found: list[Planned] = []
    for number, claim in enumerate(study.claims):
        where = f"claims.{number}"
        comparisons = tuple(_comparisons(claim, known, where))
        name = claim.name or _name(claim, comparisons)
        if any(other.name == name for other in found):
            raise SpecError(f"{where}: two claims are called '{name}'; give one another name")
        found.append(Planned(claim, name, where, comparisons))
    return found


def _comparisons(claim: Claim, known: Configurations, where: str) -> list[Comparison]:
    among = known.select(claim.among, f"{where}.among")
    if isinstance(claim, (Better, Equivalent)):
        return [_sides(claim, known, where, among)]
    if isinstance(claim, Best):
        return _rivals(claim, known, where, among)
    if isinstance(claim, Orders):
        return _steps(claim, known, where, among)
    if isinstance(claim, Slope):
        return [_line(claim, known, where, among)]
    assert isinstance(claim, Reaches)
    names = known.select(claim.which, f"{where}.which", among)
    return [Comparison(known.words(claim.which), "", (Cell(tuple(names), ()),))]


def _sides(
    claim: Better | Equivalent, known: Configurations, where: str, among: list[str]
) -> Comparison:
    a = known.select(claim.a, f"{where}.a", among)
    if claim.b == "others":
        b, words, keys = [name for name in among if name not in set(a)], "the others", [*claim.a]
        if not b:
            raise SpecError(f"{where}.b: 'a' selects every configuration, so there are no others")
    else:
        b = known.select(claim.b, f"{where}.b", among)
        words, keys = known.words(claim.b), [*claim.a, *claim.b]
    if set(a) & set(b):
        both = sorted(set(a) & set(b))
        what = (
            "the same configurations"
            if set(a) == set(b)
            else f"configurations in common ({both[0]} …)"
        )
        raise SpecError(f"{where}: both sides of the claim have {what}")
    if not claim.matched:
        return Comparison(known.words(claim.a), words, (Cell(tuple(a), tuple(b)),))
    return _paired(known, (a, known.words(claim.a)), (b, words), keys, where)


def _paired(
    known: Configurations, a: tuple[list[str], str], b: tuple[list[str], str], keys: Sequence[str],
    where: str,
) -> Comparison:  # fmt: skip
    cells = tuple(known.cells(a[0], b[0], keys))
    if not cells:
        raise SpecError(
            f"{where}: no configuration of '{a[1]}' differs from one of '{b[1]}' in "
            f"{', '.join(keys)} alone; name what else may differ, or set 'matched: false' where "
            "the claim has two sides"
        )
    paired = {name for cell in cells for side in cell for name in side}
    left_out = tuple(name for name in (*a[0], *b[0]) if name not in paired)
    return Comparison(a[1], b[1], cells, left_out)


def _rivals(claim: Best, known: Configurations, where: str, among: list[str]) -> list[Comparison]:
    best = known.select(claim.of, f"{where}.of", among)
    keys = list(claim.of)
    rivals: dict[tuple[str, ...], list[str]] = {}
    for name in among:
        if name not in set(best):
            rivals.setdefault(tuple(known.own_text(name, key) for key in keys), []).append(name)
    if not rivals:
        raise SpecError(f"{where}.of: selects every configuration, so there is nothing to beat")
    found = []
    for labels, names in rivals.items():
        cells = tuple(known.cells(best, names, keys))
        if cells:
            words = ", ".join(known.word(k, v) for k, v in zip(keys, labels, strict=True))
            found.append(Comparison(known.words(claim.of), words, cells))
    if not found:
        raise SpecError(f"{where}.of: nothing differs from it in {', '.join(keys)} alone")
    return found


def _steps(claim: Orders, known: Configurations, where: str, among: list[str]) -> list[Comparison]:
    sides: list[tuple[list[str], str]] = []
    for value in claim.order:
        selection: Selection = {claim.factor: [value]}
        names = known.select(selection, f"{where}.order", among)
        for other, words in sides:
            if set(names) & set(other):
                raise SpecError(
                    f"{where}.order: '{words}' and {value!r} select the same configurations; name "
                    "each value once"
                )
        sides.append((names, known.words(selection)))
    return [_paired(known, a, b, [claim.factor], where) for a, b in itertools.pairwise(sides)]


def _line(claim: Slope, known: Configurations, where: str, among: list[str]) -> Comparison:
    """Group the configurations by the value that they have at ``over``, the smallest first."""
    cells: dict[float, list[str]] = {}
    for name in known.select(claim.which, f"{where}.which", among):
        number = _number(known.value(name, claim.over, f"{where}.over"), where, claim.over)
        cells.setdefault(number, []).append(name)
    points = sorted(cells)
    _check_values(points, where, claim.over)
    own = tuple(Cell(tuple(cells[point]), ()) for point in points)
    return Comparison(known.words(claim.which), "", own, points=tuple(points))


def _number(value: object, where: str, over: str) -> float:
    """Return a factor's value as a positive number.

    Raises:
        SpecError: it is none.
    """
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise SpecError(
            f"{where}.over: expected positive numbers at '{over}', found {value!r} in a "
            "configuration; select others with 'which'"
        )
    return number


def _check_values(points: Sequence[float], where: str, over: str) -> None:
    """Raise :class:`SpecError` for fewer values than a slope needs."""
    if len(points) < FEWEST_VALUES:
        found = ", ".join(f"{point:g}" for point in points)
        raise SpecError(
            f"{where}.over: a slope needs at least {FEWEST_VALUES} values of '{over}'; "
            f"found {len(points)} ({found})"
        )


def _name(claim: Claim, comparisons: Sequence[Comparison]) -> str:
    first = comparisons[0]
    metric = f" on {claim.metric}" if claim.metric else ""
    if isinstance(claim, Better):
        return f"{first.a} beats {first.b}{metric}"
    if isinstance(claim, Equivalent):
        return f"{first.a} and {first.b} are equivalent within {claim.margin:g}{metric}"
    if isinstance(claim, Best):
        return f"{first.a} is best{metric}"
    if isinstance(claim, Orders):
        return " ≥ ".join(text_of(value) for value in claim.order) + metric
    if isinstance(claim, Slope):
        ends = [f"at least {claim.low:g}"] if claim.low is not None else []
        ends += [f"at most {claim.high:g}"] if claim.high is not None else []
        of = f" of {first.a}" if first.a else ""
        return f"slope{of} over {claim.over} is {' and '.join(ends)}{metric}"
    assert isinstance(claim, Reaches)
    return f"{first.a or 'the mean'} reaches {claim.target:g}{metric}"
