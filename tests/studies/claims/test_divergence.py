"""Claims about runs of which some or all diverge."""

from __future__ import annotations

import json

import numpy as np
import pytest

from descentlab.studies.claims.comparisons import Comparison
from descentlab.studies.claims.evidence import gather
from descentlab.studies.claims.selection import Cell
from descentlab.studies.claims.spec import Better

from .test_verdicts import losses, verdicts

ADAM, SGD, RMSPROP = ({"optimizer": name} for name in ("adam", "sgd", "rmsprop"))
ONE = {"vary": {"optimizer": ["sgd", "adam", "rmsprop"]}}


def diverging(*which: str, seeds: range = range(100)):
    """Return outcomes as usual, but that some optimizers diverge in some seeds."""

    def outcome(labels, seed, random):
        if labels["optimizer"] in which and seed in seeds:
            return None
        return losses({"model.activation": "relu", **labels}, seed, random)

    return outcome


def test_one_comparison_lost_to_a_sound_rival_refutes_whatever_the_others_are(made) -> None:
    claims = [
        {"name": "best", "kind": "best", "of": ADAM},
        {"name": "worst last", "kind": "best", "of": RMSPROP},
        {"name": "order", "kind": "orders", "factor": "optimizer",
         "order": ["adam", "rmsprop", "sgd"]},
        {"name": "unknown", "kind": "orders", "factor": "optimizer",
         "order": ["rmsprop", "adam", "sgd"]},
    ]  # fmt: skip
    found = verdicts(made(diverging("sgd", "adam"), claims, **ONE))
    words = [v.verdict for v in found.values()]
    assert words == ["refuted", "supported", "refuted", "undecided"]
    assert found["best"].to_json()["against"] == "rmsprop"
    assert found["unknown"].reason == "all runs of both sides diverged, adam and sgd"
    assert json.dumps([v.to_json() for v in found.values()], allow_nan=False)


def test_what_may_yet_be_refuted_is_said_to_lack_seeds(made) -> None:
    """Three seeds of a side that always diverges, with two rivals: 2/4³ is more than 5 %/2."""
    claim = {"kind": "best", "of": ADAM}
    few = made(diverging("sgd", "adam"), [claim], seeds=3, **ONE).claims()[0]
    assert few.verdict == "undecided" and "in 3 seeds may be chance" in few.reason


def test_a_target_is_not_reached_by_runs_that_diverged(made) -> None:
    def outcome(labels, seed, random):
        if labels["optimizer"] == "adam" or (labels["optimizer"] == "sgd" and seed == 0):
            return None
        return {"test_loss": [2.0, 0.4 + 0.01 * random.normal()]}

    reaches = {"kind": "reaches", "target": 5.0}
    claims = [
        {"name": name, "which": {"optimizer": name}, **reaches}
        for name in ("adam", "sgd", "rmsprop")
    ]
    found = verdicts(made(outcome, claims, **ONE))
    assert [v.verdict for v in found.values()] == ["refuted", "undecided", "supported"]
    assert found["adam"].to_json()["diverged"] == [1.0, 0.0]
    assert "does not reach the target" in found["sgd"].reason


def test_unrelated_runs_do_not_change_a_verdict(made) -> None:
    """Three of ten seeds of the worse side diverge, and a third configuration explodes."""

    def outcome(labels, seed, random):
        if labels["optimizer"] == "rmsprop":
            return {"test_loss": [2.0, 1e30]}
        return diverging("sgd", seeds=range(3))(labels, seed, random)

    claim = {"kind": "better", "a": ADAM, "b": SGD}
    found = made(outcome, [claim], seeds=10, **ONE).claims()[0]
    assert found.verdict == "supported"
    assert found.evidence[0].b.max() < 1.2 and found.evidence[0].diverged == (0, 0.3)


def test_a_diverged_run_counts_as_the_worst_sound_one_compared(made) -> None:
    result = made(diverging("sgd", seeds=range(2)), [{"kind": "better", "a": ADAM, "b": SGD}],
                  **ONE)  # fmt: skip
    frame = result.frame().assign(label=lambda f: f["configuration"].map(
        {c.id: c.labels["optimizer"] for c in result.configurations}))  # fmt: skip
    ends = frame.pivot_table(index="seed", columns="label", values="test_loss", dropna=False)
    worst = ends[["adam", "sgd"]].max().max()
    expected = ends["sgd"].fillna(worst) - ends["adam"]
    assert result.claims()[0].evidence[0].advantage.values == pytest.approx(expected.to_numpy())


@pytest.mark.parametrize(("seeds", "word"), [(2, "undecided"), (3, "supported")])
def test_divergence_needs_three_seeds(made, seeds: int, word: str) -> None:
    claim = {"kind": "better", "a": ADAM, "b": SGD, "margin": 0.5}
    found = made(diverging("sgd"), [claim], seeds=seeds, **ONE).claims()[0]
    assert found.verdict == word and found.to_json()["low"] is None
    assert seeds > 2 or "which of them do in two seeds may be chance" in found.reason


def test_support_within_a_margin_needs_sound_runs(made) -> None:
    """A diverged run is within no margin of a sound one, whatever it counts with."""
    outcome = diverging("sgd", seeds=range(3))
    claims = [
        {"name": "alike", "kind": "equivalent", "a": SGD, "b": RMSPROP, "margin": 5.0},
        {"name": "near", "kind": "best", "of": SGD, "margin": 5.0},
        {"name": "other way", "kind": "best", "of": RMSPROP, "margin": 5.0},
    ]
    found = verdicts(made(outcome, claims, seeds=10, **ONE))
    assert [v.verdict for v in found.values()] == ["undecided", "undecided", "supported"]


def test_different_trainings_that_diverge_at_once_are_not_identical(made) -> None:
    claim = {"kind": "better", "a": ADAM, "b": SGD}
    found = made(diverging("sgd", "adam"), [claim], **ONE).claims()[0]
    assert (found.verdict, found.reason) == ("undecided", "all runs of both sides diverged")


def test_a_metric_that_overflows_is_divergence(made) -> None:
    def outcome(labels, seed, random):
        end = np.inf if labels["optimizer"] == "sgd" and seed < 4 else 0.5 + 0.01 * seed
        return {"test_loss": [2.0, end]}

    found = made(outcome, [{"kind": "better", "a": ADAM, "b": SGD}], **ONE).claims()[0]
    assert found.seeds == 6 and found.evidence[0].diverged[1] == pytest.approx(4 / 6)


class Drawn:
    """Figures of two equal arms, ``[seeds, arms]``, NaN where a run diverged."""

    metric, sign = "test_loss", -1.0

    def __init__(self, ends: np.ndarray) -> None:
        self.ends, self.result = ends, self

    def examples(self, metric):
        return None

    def seeds(self, ids):
        return list(range(len(self.ends)))

    def trained(self, ids, seeds):
        return False

    def side(self, ids, seeds):
        from descentlab.studies.claims.evidence import Side

        values = self.ends[:, [0 if ids[0] == "a" else 1]]
        return Side(values, np.isnan(values))


def share_decided(seeds: int, share: float, gap: float, repeats: int) -> float:
    """Return how often a verdict falls on two arms that diverge with the same probability."""
    from descentlab.evaluation.decisions import Statement, decide

    random = np.random.default_rng([seeds, int(100 * share)])
    comparison = Comparison("a", "b", (Cell(("a",), ("b",)),))
    claim = Better(a={"optimizer": "a"})
    decided = 0
    for _ in range(repeats):
        ends = random.normal([0, gap], 1, (seeds, 2))
        ends[random.random((seeds, 2)) < share] = np.nan
        evidence = gather(claim, comparison, Drawn(ends))  # type: ignore[arg-type]
        decided += decide([Statement([evidence.advantage])])[0].decision != "undecided"
    return decided / repeats


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_equal_sides_that_diverge_equally_often_are_rarely_told_apart(seeds, share) -> None:
    repeats = 1500
    assert share_decided(seeds, share, 0.0, repeats) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)


def test_a_clear_difference_is_found_though_some_runs_diverge() -> None:
    assert share_decided(10, 0.1, 5.0, 300) > 0.9
