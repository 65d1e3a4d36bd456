"""What claims compare, found and checked before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest

from descentlab.core.errors import SpecError
from descentlab.studies.claims.comparisons import plan_claims
from descentlab.studies.load import load_study
from descentlab.studies.run import prepare, run
from descentlab.studies.spec import Study

from .conftest import STUDY_FILE


def planned(claim: dict[str, Any], study: Study | None = None) -> Any:
    raw = (study.resolved() if study else STUDY_FILE) | {"claims": [claim]}
    parsed = Study.parse(raw)
    return plan_claims(parsed, prepare(parsed).configurations)[0]


def pairs(claim: dict[str, Any], study: Study) -> set[tuple[str, ...]]:
    """Return the pairs of each cell in words."""
    names = {
        c.id: " ".join(c.labels.values()) for c in prepare(study).configurations
    }  # fmt: skip
    cells = planned(claim, study).comparisons[0].cells
    return {(*(names[i] for i in a), "|", *(names[i] for i in b)) for a, b in cells}


def test_momentum_is_paired_with_plain_descent_at_the_same_rate() -> None:
    """Plain descent has no momentum factor, so all of momentum's strengths share its cell."""
    study = load_study("logistic-descent")
    claim = {"kind": "better", "a": {"method": "GD + momentum"}, "b": {"method": "GD"}}
    assert pairs(claim, study) == {
        (*(f"GD + momentum {rate} {beta}" for beta in (0.7, 0.8, 0.9)), "|", f"GD {rate}")
        for rate in ("0.01", "0.1", "0.5", "1")
    }


def test_paths_that_a_group_sets_select_and_pair() -> None:
    study = load_study("logistic-descent")
    claim = {"kind": "better", "a": {"batches": "full"}, "b": {"batches.kind": "single"}}
    found = pairs(claim, study)
    assert len(found) == 28
    assert ("GD + Nesterov 0.5 0.8", "|", "SGD + Nesterov 0.5 0.8") in found


def test_mnist_ten_pairs_the_losses_by_activation_and_optimizer() -> None:
    study = load_study("mnist-ten")
    claim = {
        "kind": "equivalent",
        "a": {"loss": "cross_entropy"},
        "b": {"loss": "nll"},
        "margin": 1,
    }
    assert pairs(claim, study) == {
        ("ReLU / CE / SGD", "|", "ReLU / NLL / SGD"), ("Tanh / CE / SGD", "|", "Tanh / NLL / SGD"),
    }  # fmt: skip
    assert len(planned(claim, study).comparisons[0].left_out) == 6


def test_unmatched_sides_are_one_cell() -> None:
    claim = {"kind": "better", "a": {"optimizer": "adam", "model.activation": "tanh"}}
    (cell,) = planned(claim | {"matched": False}).comparisons[0].cells
    assert (len(cell.a), len(cell.b)) == (1, 5)


def test_best_meets_every_rival_once() -> None:
    found = planned({"kind": "best", "of": {"optimizer": "adam"}})
    assert [c.b for c in found.comparisons] == ["sgd", "rmsprop"]
    assert all(len(c.cells) == 2 for c in found.comparisons)
    among = {"kind": "best", "of": {"optimizer": "adam"}, "among": {"optimizer": ["adam", "sgd"]}}
    assert [c.b for c in planned(among).comparisons] == ["sgd"]


def test_values_may_be_labels_numbers_or_kinds() -> None:
    study = load_study("logistic-descent")
    texts = [{"optimizer.learning_rate": value} for value in (0.1, "0.1")]
    texts.append({"run.optimizer.learning_rate": 0.1})
    found = [planned({"kind": "reaches", "which": w, "target": 1}, study) for w in texts]
    assert len({f.comparisons[0].cells for f in found}) == 1
    assert len(found[0].comparisons[0].ids) == 14


def test_claims_have_names_of_their_own_or_made_ones() -> None:
    claim = {"kind": "better", "a": {"optimizer": "adam"}, "b": {"optimizer": "sgd"}}
    assert planned(claim).name == "adam beats sgd"
    assert planned(claim | {"name": "my words"}).name == "my words"
    order = {"kind": "orders", "factor": "optimizer", "order": ["adam", "sgd"]}
    assert planned(order).name == "adam ≥ sgd"


A = {"optimizer": "adam"}
BAD = [
    ({"kind": "beter", "a": A}, r"claims\.0.*'beter'.*'better'"),
    ({"kind": "better", "a": {"optimiser": "adam"}}, r"factor or path 'optimiser'.*'optimizer'"),
    ({"kind": "better", "a": {"optimizer": "adamw"}}, r"claims\.0\.a\.optimizer: no config"),
    ({"kind": "better", "a": A, "b": A}, r"both sides of the claim, 'a' and 'b', are the same"),
    ({"kind": "better", "a": A, "b": {"optimizer": ["adam", "sgd"]}}, r"configurations in common"),
    ({"kind": "better", "a": A, "b": {"optimizer.kind": "adam"}}, r"the same configurations"),
    ({"kind": "better", "a": A, "b": {}}, r"claims\.0\.b: selects everything"),
    ({"kind": "better", "a": {}}, r"claims\.0\.a: selects everything; say which configurations"),
    ({"kind": "best", "of": {}}, r"claims\.0\.of: selects everything"),
    ({"kind": "better", "a": {"optimizer.learning_rat": 1}},
     r"known: model\.activation, optimizer\)"),
    ({"kind": "better", "a": {"optimizer": ["adam", "sgd", "rmsprop"]}}, r"selects every config"),
    ({"kind": "better", "a": A, "margin": -1}, "margin"),
    ({"kind": "equivalent", "a": A}, r"claims\.0\.margin"),
    ({"kind": "equivalent", "a": A, "margin": 0}, "margin"),
    ({"kind": "best", "of": {"optimizer": ["adam", "sgd", "rmsprop"]}}, "nothing to beat"),
    ({"kind": "orders", "factor": "optimizer", "order": ["adam"]}, "order"),
    ({"kind": "orders", "factor": "optimizer", "order": ["adam", "adam"]}, "'adam' is there twice"),
    ({"kind": "reaches"}, r"claims\.0\.target"),
    ({"kind": "reaches", "target": "high"}, r"claims\.0\.target"),
    ({"kind": "best", "of": A, "among": {"optimizer": "sgd"}}, "no configuration has all of"),
    ({"kind": "reaches", "target": 1, "whcih": A}, r"'which'"),
    (7, r"claims\.0"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "message"), BAD)
def test_claims_that_cannot_be_judged_are_refused(claim: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        planned(claim)


def test_an_order_with_one_value_written_twice_is_refused() -> None:
    claim = {"kind": "orders", "factor": "optimizer.learning_rate", "order": [0.1, "0.1"]}
    with pytest.raises(SpecError, match=r"claims\.0\.order: .*'0\.1' select the same config"):
        planned(claim, load_study("logistic-descent"))


def test_a_metric_that_is_not_recorded_is_refused_before_training(tmp_path) -> None:
    claim = {"kind": "reaches", "target": 0.9, "metric": "validation_accuracy"}
    with pytest.raises(SpecError, match=r"claims\.0\.metric: unknown metric 'validation_accuracy'"):
        run(Study.parse(STUDY_FILE | {"claims": [claim]}), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_two_claims_of_one_name_are_refused() -> None:
    claims = [
        {"kind": "reaches", "target": 0.9, "name": "x"},
        {"kind": "best", "of": A, "name": "x"},
    ]
    with pytest.raises(SpecError, match="two claims are called 'x'"):
        prepare(Study.parse(STUDY_FILE | {"claims": claims}))


NEAR = STUDY_FILE | {
    "vary": {
        "model.hidden": [[8], [16], [8, 16], [16, 16]],
        "optimizer.learning_rate": [0.1234567, 0.1234568],
    }
}


def ids(claim: dict[str, Any]) -> set[tuple[Any, ...]]:
    """Return what the first side of a claim is: layers and rates."""
    parsed = Study.parse(NEAR | {"claims": [claim]})
    configurations = prepare(parsed).configurations
    comparison = plan_claims(parsed, configurations)[0].comparisons[0]
    chosen = {name for cell in comparison.cells for name in cell.a}
    values = [c.values for c in configurations if c.id in chosen]
    return {(tuple(v["model.hidden"]), v["optimizer.learning_rate"]) for v in values}


def test_a_list_is_a_value_where_a_configuration_has_it_and_any_of_its_items_elsewhere() -> None:
    reach = {"kind": "reaches", "target": 1}
    assert {v[0] for v in ids({**reach, "which": {"model.hidden": [8, 16]}})} == {(8, 16)}
    assert {v[0] for v in ids({**reach, "which": {"model.hidden": [[8], [16]]}})} == {(8,), (16,)}
    rates = [0.1234567, 0.1234568]
    assert len(ids({**reach, "which": {"optimizer.learning_rate": rates}})) == 8


def test_values_come_before_labels() -> None:
    """Both rates are written 0.123457."""
    found = ids({"kind": "reaches", "target": 1, "which": {"optimizer.learning_rate": 0.1234568}})
    assert {rate for _, rate in found} == {0.1234568}
    parsed = Study.parse(
        NEAR | {"claims": [{"kind": "best", "of": {"optimizer.learning_rate": 0.1234567}}]}
    )
    comparison = plan_claims(parsed, prepare(parsed).configurations)[0].comparisons[0]
    assert (comparison.a, comparison.b) == ("learning rate 0.1234567", "learning rate 0.1234568")
    both = {"kind": "orders", "factor": "optimizer.learning_rate", "order": [0.1234567, 0.1234568]}
    assert {rate for _, rate in ids(both)} == {0.1234567}


def test_an_element_of_a_list_that_varies_is_paired_by_the_rest_of_the_list() -> None:
    first = "model.hidden.0"
    study = Study.parse(NEAR | {"claims": [{"kind": "better", "a": {first: 8}, "b": {first: 16}}]})
    configurations = {c.id: c.values["model.hidden"] for c in prepare(study).configurations}
    cells = plan_claims(study, prepare(study).configurations)[0].comparisons[0].cells
    pairs = {(*configurations[c.a[0]], "|", *configurations[c.b[0]]) for c in cells}
    assert pairs == {(8, "|", 16), (8, 16, "|", 16, 16)}
