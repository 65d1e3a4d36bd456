"""Verdicts on studies whose outcomes are known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

LOSS = {"sgd": 0.5, "adam": 0.3, "rmsprop": 0.4}


def losses(labels, seed, random):
    """Adam best, then RMSProp; tanh better by 0.1; the seed shifts all runs alike."""
    shared = np.random.default_rng(seed).normal(0, 0.2)
    activation = -0.1 if labels["model.activation"] == "tanh" else 0.0
    end = LOSS[labels["optimizer"]] + activation + shared + random.normal(0, 0.01)
    return {"test_loss": [2.0, float(end)]}


def verdicts(result):
    return {v.claim.name: v for v in result.claims()}


def test_what_is_better_is_found_and_what_is_worse_refuted(made) -> None:
    claims = [
        {"name": "yes", "kind": "better", "a": {"optimizer": "adam"}, "b": {"optimizer": "sgd"}},
        {"name": "no", "kind": "better", "a": {"optimizer": "sgd"}, "b": {"optimizer": "adam"}},
        {"name": "much", "kind": "better", "a": {"optimizer": "adam"}, "margin": 0.3},
        {"name": "others", "kind": "better", "a": {"optimizer": "adam"}},
    ]
    found = verdicts(made(losses, claims))
    assert [v.verdict for v in found.values()] == ["supported", "refuted", "refuted", "supported"]
    yes = found["yes"].to_json()
    assert (yes["estimate"], yes["seeds"], yes["metric"]) == (
        pytest.approx(0.2, abs=0.02),
        6,
        "test_loss",
    )
    assert found["no"].to_json()["estimate"] == pytest.approx(-yes["estimate"])
    assert json.dumps([v.to_json() for v in found.values()], allow_nan=False)


def test_the_seed_is_the_unit(made) -> None:
    """Averaged over activations within a seed, then a paired t over seeds; levels by Holm."""
    claims = [{"kind": "better", "a": {"optimizer": "adam"}, "b": {"optimizer": "rmsprop"}}]
    result = made(losses, claims)
    frame = result.frame()
    names = {c.id: c.labels["optimizer"] for c in result.configurations}
    means = frame.groupby([frame["configuration"].map(names), "seed"])["test_loss"].mean()
    expected = stats.ttest_rel(means["rmsprop"], means["adam"])
    found = result.claims()[0].to_json()
    low, high = expected.confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert found["level"] == 0.95


def test_the_best_of_all_and_of_one_factor(made) -> None:
    both = {"optimizer": "adam", "model.activation": "tanh"}
    claims = [
        {"name": "value", "kind": "best", "of": {"optimizer": "adam"}},
        {"name": "pair", "kind": "best", "of": both},
        {"name": "wrong", "kind": "best", "of": {"optimizer": "rmsprop"}},
        {"name": "almost", "kind": "best", "of": {"optimizer": "rmsprop"}, "margin": 0.2},
    ]
    found = verdicts(made(losses, claims))
    words = [v.verdict for v in found.values()]
    assert words == ["supported", "supported", "refuted", "supported"]
    assert len(found["value"].evidence) == 2 and len(found["pair"].evidence) == 5
    alone = made(losses, claims[1:2]).claims()[0]
    assert alone.level == pytest.approx(1 - 0.05 / 5)  # simultaneous over its comparisons


def test_orders_and_targets(made) -> None:
    order = {"kind": "orders", "factor": "optimizer"}
    claims = [
        {"name": "right", **order, "order": ["adam", "rmsprop", "sgd"]},
        {"name": "swapped", **order, "order": ["rmsprop", "adam", "sgd"]},
        {"name": "low", "kind": "reaches", "which": {"optimizer": "adam"}, "target": 0.9},
        {"name": "lower", "kind": "reaches", "which": {"optimizer": "adam"}, "target": -0.5},
    ]  # fmt: skip
    words = [v.verdict for v in verdicts(made(losses, claims)).values()]
    assert words == ["supported", "refuted", "supported", "refuted"]


def test_equal_to_the_bit_is_identical_and_almost_equal_equivalent(made) -> None:
    def outcome(labels, seed, random):
        if labels["optimizer"] == "rmsprop":
            seed_loss = np.random.default_rng(seed).normal(0.4, 0.1) + 1e-6 * random.normal()
        else:
            seed_loss = np.random.default_rng(seed).normal(0.4, 0.1)
        return {"test_loss": [2.0, float(seed_loss)]}

    sides = {"a": {"optimizer": "sgd"}, "b": {"optimizer": "adam"}}
    close = {"a": {"optimizer": "sgd"}, "b": {"optimizer": "rmsprop"}}
    claims = [
        {"name": "same", "kind": "better", **sides},
        {"name": "twins", "kind": "equivalent", "margin": 0.01, **sides},
        {"name": "near", "kind": "equivalent", "margin": 0.01, **close},
    ]
    found = verdicts(made(outcome, claims))
    assert [v.verdict for v in found.values()] == ["identical", "identical", "supported"]
    assert "equal to the bit" in found["same"].to_json()["reason"]


def test_equal_ends_of_different_curves_are_not_identical(made) -> None:
    def outcome(labels, seed, random):
        return {"test_loss": [2.0, 1.0 + (labels["optimizer"] == "sgd"), 0.5]}

    sides = {"a": {"optimizer": "sgd"}, "b": {"optimizer": "adam"}}
    found = made(outcome, [{"kind": "better", **sides}]).claims()[0]
    assert found.verdict == "undecided"


def test_one_seed_decides_nothing(made) -> None:
    claims = [{"kind": "better", "a": {"optimizer": "adam"}}, {"kind": "reaches", "target": 9}]
    for verdict in made(losses, claims, seeds=1).claims():
        assert (verdict.verdict, verdict.seeds) == ("undecided", 1)
        assert "one seed cannot tell" in verdict.to_json()["reason"]


def test_a_side_that_diverges_loses_and_its_share_is_shown(made) -> None:
    def outcome(labels, seed, random):
        if labels["optimizer"] == "sgd":
            return None
        return {"test_loss": [2.0, 0.4 + 0.1 * random.normal()]}

    a, b = {"optimizer": "adam"}, {"optimizer": "sgd"}
    found = made(outcome, [{"kind": "better", "a": a, "b": b}]).claims()[0]
    assert found.verdict == "supported" and found.evidence[0].diverged == (0.0, 1.0)
    assert found.to_json()["estimate"] is None  # there is no figure of a side that diverged


def test_two_sides_that_diverge_are_undecided(made) -> None:
    found = made(
        lambda *_: None, [{"kind": "better", "a": {"optimizer": "adam"}}], report={}
    ).claims()
    assert [v.verdict for v in found] in ([], ["undecided"])


def test_the_best_record_may_count_instead_of_the_last(made) -> None:
    def outcome(labels, seed, random):
        dip = 0.1 if labels["optimizer"] == "adam" else 0.4
        end = 0.5 + 0.1 * (-1) ** seed * (labels["optimizer"] == "adam")
        return {"test_loss": [2.0, dip + 0.01 * random.normal(), end]}

    claim = {"kind": "better", "a": {"optimizer": "adam"}}
    claims = [{"name": "end", **claim}, {"name": "best", "at": "best", **claim}]
    found = verdicts(made(outcome, claims))
    assert (found["end"].verdict, found["best"].verdict) == ("undecided", "supported")


def test_accuracies_are_better_when_higher_and_have_the_test_sets_error(made) -> None:
    def outcome(labels, seed, random):
        right = 0.9 if labels["optimizer"] == "adam" else 0.5
        return {"test_accuracy": [0.1, right + 0.01 * random.normal()]}

    claims = [{"kind": "better", "a": {"optimizer": "adam"}}]
    found = made(outcome, claims, examples=100).claims()[0]
    assert found.verdict == "supported"
    expected = np.sqrt((0.9 * 0.1 + 0.5 * 0.5) / 100)
    assert found.to_json()["test_error"] == pytest.approx(expected, rel=0.02)


def test_seeds_that_are_not_done_on_both_sides_are_left_out(made) -> None:
    def outcome(labels, seed, random):
        missing = labels["optimizer"] == "sgd" and seed == 5
        name = "train_loss" if missing else "test_loss"
        return {name: [2.0, 0.4 + 0.1 * random.normal()]}

    sides = {"a": {"optimizer": "adam"}, "b": {"optimizer": "sgd"}}
    assert (
        made(outcome, [{"kind": "better", "metric": "test_loss", **sides}]).claims()[0].seeds == 5
    )


def test_the_interval_shown_is_that_on_which_the_verdict_hangs(made) -> None:
    """A rival that is close but steady is beaten; one further off but noisy may not be."""
    ends = {"adam": (0.3, 0.001), "rmsprop": (0.35, 0.001), "sgd": (0.5, 0.3)}

    def outcome(labels, seed, random):
        mean, spread = ends[labels["optimizer"]]
        return {"test_loss": [2.0, mean + spread * random.normal()]}

    claims = [{"kind": "best", "of": {"optimizer": "adam"}}]
    found = made(outcome, claims, vary={"optimizer": list(ends)}).claims()[0]
    shown = found.to_json()
    lows = [interval.low for interval in found.intervals]
    assert shown["low"] == min(lows) and shown["against"] == "sgd"
    assert (found.verdict == "supported") == (shown["low"] > 0)
    worse = made(
        outcome, [{"kind": "best", "of": {"optimizer": "rmsprop"}}], vary={"optimizer": list(ends)}
    ).claims()[0]
    assert worse.verdict == "refuted" and worse.to_json()["against"] == "adam"
    assert worse.to_json()["high"] < 0


def test_a_tie_that_more_seeds_cannot_break_is_called_one(made) -> None:
    def outcome(labels, seed, random):
        return {"test_loss": [2.0, 1.0 + (labels["optimizer"] == "sgd"), 0.5 + seed]}

    claims = [{"kind": "best", "of": {"optimizer": "adam"}}]
    found = made(outcome, claims, vary={"optimizer": ["adam", "sgd"]}).claims()[0]
    assert found.verdict == "undecided"
    assert "the same figure in every seed, so more seeds would hardly decide it" in found.reason
