"""Names of varied values: short, one a value, and the same when a study is read back."""

from __future__ import annotations

import pytest

from descentlab.studies.configurations import configurations
from descentlab.studies.labels import names_of
from descentlab.studies.resolving import resolved
from descentlab.studies.spec import Study


def look(inner, **more):
    return {"kind": "lookahead", "inner": inner, **more}


SGD = {"kind": "sgd", "learning_rate": 0.1}
CASES = [
    ([look("sgd", k=3), look("adam", k=5)], ["lookahead(sgd, k=3)", "lookahead(adam, k=5)"]),
    ([look("sgd"), look("adam"), "adam"], ["lookahead(sgd)", "lookahead(adam)", "adam"]),
    (
        [look(SGD), look({**SGD, "learning_rate": 0.2})],
        ["lookahead(inner.learning_rate=0.1)", "lookahead(inner.learning_rate=0.2)"],
    ),
    (
        [look(SGD), look({**SGD, "learning_rate": 0.2}), look("adam")],
        ["lookahead(sgd(learning_rate=0.1))", "lookahead(sgd(learning_rate=0.2))",
         "lookahead(adam)"],
    ),
    (
        [look(look("sgd", k=2)), look(look("adam", k=2)), look("adam")],
        ["lookahead(lookahead(sgd))", "lookahead(lookahead(adam))", "lookahead(adam)"],
    ),
    (
        ["sgd", {"kind": "sgd", "clip": {"kind": "norm", "at": 1.0}},
         {"kind": "sgd", "clip": {"kind": "norm", "at": 2.0}},
         {"kind": "sgd", "clip": {"kind": "value", "at": 2.0}}],
        ["sgd", "sgd(clip=norm(at=1))", "sgd(clip=norm(at=2))", "sgd(clip=value)"],
    ),
    (
        [look({**SGD, "learning_rate": 0.12345678}), look({**SGD, "learning_rate": 0.12345679})],
        ["lookahead(inner.learning_rate=0.12345678)", "lookahead(inner.learning_rate=0.12345679)"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("values", "names"), CASES)
def test_nested_kinds_are_named_by_what_tells_them_apart(values, names) -> None:
    run = {"data": "iris", "model": "logistic", "optimizer": "sgd", "epochs": 1}
    study = Study.parse({"name": "x", "run": run, "vary": {"optimizer": values}})
    found = configurations(study)
    assert [c.labels["optimizer"] for c in found] == names
    again = Study.parse(resolved(study, found))
    assert [c.labels["optimizer"] for c in configurations(again)] == names


def test_mappings_without_a_kind_and_in_lists_are_no_dumps() -> None:
    splits = [{"test": 0.2, "seed": 0}, {"test": 0.3, "seed": 0}]
    assert names_of(splits) == ["test=0.2", "test=0.3"]
    assert names_of([[{"kind": "shift", "by": 2}], []]) == ["shift(by=2)", "none"]
    assert names_of([{"kind": "a", "x": {"b": 1}}, {"kind": "a"}]) == ["a(x.b=1)", "a"]
