"""Slopes of a metric over a varied number, on studies whose outcomes are set by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from descentlab.core.errors import SpecError

EPOCHS = [1, 3, 10, 30]
VARY = {"epochs": EPOCHS, "model.activation": ["relu", "tanh"]}
CLAIM = {"name": "falls", "kind": "slope", "over": "epochs", "low": -1.2, "high": -0.8}


def falling(power, minimum=0.0, spread=0.02):
    """A loss of minimum + 2 epochs^power, a factor near 1 a run."""

    def outcome(labels, seed, random):
        above = 2 * float(labels["epochs"]) ** power * np.exp(random.normal(0, spread))
        return {"test_loss": [9.0, minimum + float(above)]}

    return outcome


def verdict(made, outcome, *, vary=VARY, claims=(), **changes):
    result = made(outcome, [{**CLAIM, **changes}, *claims], vary=vary)
    return result, result.claims()[0]


def test_it_is_scipys_line_in_each_seed_and_scipys_interval_over_seeds(made):
    result, found = verdict(made, falling(-1))
    frame = result.frame()
    epochs = {c.id: c.run.epochs for c in result.configurations}
    means = frame.groupby(["seed", frame["configuration"].map(epochs)])["test_loss"].mean()
    slopes = [
        stats.linregress(np.log(EPOCHS), np.log(own.to_numpy())).slope
        for _, own in means.groupby("seed")
    ]
    expected = stats.ttest_1samp(slopes, 0).confidence_interval(0.95)
    plain = found.to_json()
    assert found.verdict == "supported"
    assert plain["kind"] == "slope"
    assert plain["estimate"] == pytest.approx(np.mean(slopes), rel=1e-12)
    assert (plain["low"], plain["high"]) == pytest.approx(tuple(expected), rel=1e-9)
    assert plain["seeds"] == 6
    assert json.dumps(plain, allow_nan=False)


@pytest.mark.parametrize(
    ("power", "changes", "word"),
    [
        (-1, {}, "supported"),
        (-0.5, {}, "refuted"),
        (-1.5, {}, "refuted"),
        (-1.5, {"low": None}, "supported"),
        (-0.5, {"high": None}, "supported"),
        (-0.5, {"low": None}, "refuted"),
        (-0.8, {}, "undecided"),
    ],
)
def test_verdicts(made, power, changes, word):
    assert verdict(made, falling(power, spread=0.1), **changes)[1].verdict == word


def test_a_known_minimum_is_taken_off(made):
    outcome = falling(-1, minimum=0.5)
    assert verdict(made, outcome, minus=0.5)[1].verdict == "supported"
    assert verdict(made, outcome)[1].verdict == "refuted"


def test_a_metric_at_the_minimum_supports_nothing_and_says_so(made):
    found = verdict(made, falling(-1), minus=0.1, low=None)[1]
    assert found.verdict == "undecided"
    assert "in 6 of 6 seeds the metric is not above 0.1" in found.reason
    assert found.to_json()["estimate"] is None


def test_a_diverged_run_supports_nothing_and_says_so(made):
    def outcome(labels, seed, random):
        return None if (labels["epochs"], seed) == ("30", 2) else falling(-1)(labels, seed, random)

    found = verdict(made, outcome)[1]
    assert found.verdict == "undecided"
    assert "in 1 of 6 seeds a run diverged" in found.reason
    assert found.to_json()["diverged"][0] == pytest.approx(2 / 48)


def test_over_is_read_from_the_run_that_a_group_sets(made):
    budgets = {f"budget {n}": {"epochs": n, "optimizer.learning_rate": 1 / n} for n in (1, 4, 16)}

    def outcome(labels, seed, random):
        return falling(-1)({"epochs": labels["budget"].split()[1]}, seed, random)

    _, found = verdict(made, outcome, vary={"budget": budgets})
    assert found.evidence[0].comparison.points == (1, 4, 16)
    assert found.verdict == "supported"
    rate = verdict(made, outcome, vary={"budget": budgets}, over="optimizer.learning_rate",
                   low=0.8, high=1.2)[1]  # fmt: skip
    assert rate.verdict == "supported"


def test_it_shares_the_five_per_cent_with_the_other_claims(made):
    other = {"kind": "reaches", "target": 9.0, "name": "low"}
    result, _ = verdict(made, falling(-1), claims=[other])
    assert sorted(v.level for v in result.claims()) == pytest.approx([0.95, 0.975])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"which": {"epochs": [1, 3]}}, "claims.0.over: a slope needs at least 3 values"),
        ({"over": "epoch"}, "claims.0.over: .*epochs"),
        ({"over": "model.activation"}, "expected positive numbers at 'model.activation'"),
        ({"low": None, "high": None}, "give 'low', 'high' or both"),
        ({"low": 1.0, "high": -1.0}, "must be below"),
    ],
)
def test_what_cannot_be_judged_is_named(made, changes, message):
    with pytest.raises(SpecError, match=message):
        verdict(made, falling(-1), **changes)


def test_sentence_and_picture(made):
    from descentlab.report.claim_words import finding, notes
    from descentlab.report.claims import claims

    result, found = verdict(made, falling(-1), minus=-0.001)
    text = finding(found)
    assert text.startswith("The slope of ln(final test loss + 0.001) against ln(epochs) is −")
    assert "the claim: between −1.2 and −0.8" in text
    low, high = text.split("interval ")[1].split(",")[0].split(" to ")
    assert float(low.replace("−", "-")) < float(high.replace("−", "-")) < -0.8
    assert not notes(found)
    page = str(claims(result.claims()))
    assert page.count('class="seed"') == 6 * 4
    assert page.count('class="mean"') == 4
    assert page.count('class="bound"') == 2
    assert page.count('class="interval"') == 1


def test_the_picture_of_a_slope_that_is_not_known_has_the_seeds_that_are(made):
    from descentlab.report.claim_words import finding, notes
    from descentlab.report.claims import claims

    def outcome(labels, seed, random):
        return None if (labels["epochs"], seed) == ("30", 2) else falling(-1)(labels, seed, random)

    result, found = verdict(made, outcome)
    assert "is not known in every one of 6 seeds" in finding(found)
    assert any("a run diverged" in note for note in notes(found))
    page = str(claims(result.claims()))
    assert "Drawn are the 5 of 6 seeds" in page
    assert page.count('class="seed"') == 5 * 4
