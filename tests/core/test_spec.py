"""Specifications: floats are data, the rest is structure; errors name the path."""

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, PlainValidator

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec, split_floats, with_floats


class Frozen(Spec):
    floats_are_data = False
    fraction: float = 0.5


class Round(Spec):
    kind: Literal["round"] = "round"
    radius: float = Field(default=1.0, ge=0)
    sides: int = 0
    edge: Literal["sharp", "blunt"] = "sharp"
    cut: Frozen | None = None


class Box(Spec):
    kind: Literal["box"] = "box"
    size: tuple[float, ...] = (1.0, 2.0)


SHAPES = Catalogue("shape", {"round": Round, "box": Box}, default="round")


class Thing(Spec):
    shape: Annotated[Any, PlainValidator(SHAPES.validate)]
    weight: float | None = None
    part: Frozen = Frozen()
    every: Literal["epoch"] | Annotated[int, Field(ge=1)] = "epoch"
    names: tuple[str, ...] = ()
    parts: tuple[Frozen, ...] = ()
    groups: dict[str, list[Any] | dict[str, dict[str, Any]]] = {}


def test_floats_are_split_off_by_path_and_the_structure_is_shared():
    one, floats = split_floats(Thing.parse({"shape": {"kind": "round", "radius": 3}, "weight": 2}))
    two, others = split_floats(Thing.parse({"shape": "round", "weight": 7.5}))
    assert one == two
    assert floats == {"shape.radius": 3.0, "weight": 2.0}
    assert others == {"shape.radius": 1.0, "weight": 7.5}


@pytest.mark.parametrize(
    "other",
    [
        {"shape": {"kind": "round", "sides": 4}, "weight": 1},
        {"shape": "round"},
        {"shape": "box", "weight": 1},
        {"shape": "round", "weight": 1, "part": {"fraction": 0.25}},
    ],
)
def test_integers_kinds_none_and_frozen_floats_are_structure(other):
    base, _ = split_floats(Thing.parse({"shape": "round", "weight": 1}))
    assert split_floats(Thing.parse(other))[0] != base


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=4), st.floats(0, 1))
def test_putting_the_floats_back_gives_the_same_specification(sizes, weight):
    thing = Thing.parse({"shape": {"kind": "box", "size": sizes}, "weight": weight})
    structure, floats = split_floats(thing)
    doubled = with_floats(thing, {path: 2 * value for path, value in floats.items()})
    assert doubled.shape.size == tuple(2 * s for s in sizes)
    assert split_floats(with_floats(thing, floats)) == (structure, floats)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"shape": "rond"}, r"run\.shape: unknown shape 'rond'; did you mean 'round'\?"),
        (
            {"shape": {"kind": "round", "radios": 1}},
            r"run\.shape\.radios: unknown field; did you mean 'radius'\?",
        ),
        ({"shape": {"kind": "round", "radius": "big"}}, r"run\.shape\.radius: .*found 'big'"),
        ({"shape": "round", "wieght": 1}, r"run\.wieght: unknown field; did you mean 'weight'\?"),
        (
            {"shape": "round", "part": {"fractoin": 1}},
            r"run\.part\.fractoin: .*did you mean 'fraction'",
        ),
        ({"shape": "round", "weight": float("nan")}, r"run\.weight: .*finite"),
        ({"shape": "round", "weight": "0.5"}, r"run\.weight: expected a number \(found '0.5'\)"),
        ({"shape": "round", "weight": True}, r"run\.weight: expected a number \(found True\)"),
        ({"shape": {"kind": "box", "size": [1, "2"]}}, r"run\.shape\.size: expected a number"),
        ({}, r"run\.shape: this field is required"),
        ({"shape": 3}, r"run\.shape: expected a name or a mapping"),
        ({"shape": "no.such.module:Thing"}, r"cannot import shape"),
        (5, r"run: .*found 5"),
    ],
)
def test_errors_name_path_finding_and_nearest_name(raw, message):
    with pytest.raises(SpecError, match=message):
        Thing.parse(raw, "run")


GROUP = {1: {"weight": 1}, 2: {"weight": 2}}


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (
            {"every": "epok"},
            "every: unknown value; did you mean 'epoch'? (allowed: 'epoch' or a whole number) "
            "(found 'epok')",
        ),
        (
            {"every": 0},
            "every: unknown value (allowed: 'epoch' or a number greater than or equal to 1) "
            "(found 0)",
        ),
        (
            {"shape": {"kind": "round", "edge": "blnt"}},
            "shape.edge: unknown value; did you mean 'blunt'? (allowed: 'sharp' or 'blunt') "
            "(found 'blnt')",
        ),
        (
            {"shape": {"kind": "round", "cut": {"fractoin": 1}}},
            "shape.cut.fractoin: unknown field; did you mean 'fraction'? (known: fraction)",
        ),
        (
            {"parts": [{}, {"zzz": 1}]},
            "parts.1.zzz: unknown field (known: fraction)",
        ),
        (
            {"shape": {"kind": "round", "radius": -1}},
            "shape.radius: expected a number greater than or equal to 0 (found -1)",
        ),
        (
            {"shape": "rond"},
            "shape: unknown shape 'rond'; did you mean 'round'? (known: box, round)",
        ),
        ({"names": "x"}, "names: expected a list (found 'x')"),
        ({"part": 5}, "part: expected fields with values (found 5)"),
        ({"groups": {"g": 3}}, "groups.g: expected a list or fields with values (found 3)"),
        (
            {"groups": {"g": GROUP}},
            "groups.g.1: a name must be text; write it in quotes (found 1)\n"
            "groups.g.2: a name must be text; write it in quotes (found 2)",
        ),
    ],
)
def test_a_fault_is_told_in_the_file_s_own_paths_and_in_words(raw, line):
    with pytest.raises(SpecError) as caught:
        Thing.parse({"shape": "round", **raw})
    assert str(caught.value) == line


def test_each_line_of_a_message_can_begin_with_the_file():
    with pytest.raises(SpecError) as caught:
        Thing.parse({"wieght": 1}, file="x/study.yaml")
    first, second = str(caught.value).splitlines()
    assert first == "x/study.yaml: shape: this field is required and is not there"
    assert second.startswith("x/study.yaml: wieght: unknown field; did you mean 'weight'?")
    with pytest.raises(SpecError, match=r"^x/study\.yaml: expected fields with values"):
        Thing.parse(None, file="x/study.yaml")


def test_a_name_with_two_owners_is_an_error_that_names_both(monkeypatch):
    class Point:
        name, value = "round", "other.package:Round"
        dist = type("Dist", (), {"name": "other-package"})

    monkeypatch.setattr("descentlab.core.catalogue.metadata.entry_points", lambda group: [Point])
    with pytest.raises(SpecError, match=r"descentlab and other-package"):
        _ = Catalogue("shape", {"round": Round}).kinds
