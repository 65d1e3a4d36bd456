"""Verdicts in words, in the report and in the terminal."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from rich.console import Console

from descentlab.evaluation.intervals import t_interval
from descentlab.report.claim_words import finding, notes, rule
from descentlab.report.claims import LEFT, _label, claims
from descentlab.report.html import page
from descentlab.report.terminal import show
from tests.studies.claims.conftest import made  # noqa: F401 (a fixture)
from tests.studies.claims.test_verdicts import losses

SIDES = {"a": {"optimizer": "adam"}, "b": {"optimizer": "sgd"}}
CLAIMS: list[dict[str, Any]] = [
    {"name": "adam <wins>", "kind": "better", **SIDES},
    {"kind": "better", "a": SIDES["b"], "b": SIDES["a"]},
    {"kind": "equivalent", "margin": 0.3, **SIDES},
    {"kind": "best", "of": {"optimizer": "adam"}},
    {"kind": "reaches", "which": {"optimizer": "adam"}, "target": 0.9},
]


@pytest.fixture
def result(made):  # noqa: F811
    return made(losses, CLAIMS)


def test_the_sentence_has_difference_interval_and_seeds(result) -> None:
    better, worse, close, best, reached = (finding(verdict) for verdict in result.claims())
    assert re.fullmatch(
        r"adam has a final test loss 0\.\d+ lower than sgd \(\d+(\.\d+)?\u00a0% interval "
        r"0\.\d+ to 0\.\d+, 6 seeds\)\.", better
    )  # fmt: skip
    assert "sgd has a final test loss" in worse and "higher than adam" in worse
    assert "the claim's margin is 0.3" in close
    assert best.startswith("Of 2 comparisons the least favourable: adam has a final test loss")
    assert "beyond the target 0.9" in reached


def test_an_interval_is_written_the_way_round_of_its_sentence(result) -> None:
    first, second = (finding(verdict) for verdict in result.claims()[:2])
    ends = [re.findall(r"(0\.\d+) to (0\.\d+)", text)[0] for text in (first, second)]
    low, high = zip(*((float(a), float(b)) for a, b in ends), strict=True)
    assert low == pytest.approx((low[0],) * 2, abs=0.01)  # but for their levels
    assert high == pytest.approx((high[0],) * 2, abs=0.01) and low[0] < high[0]


def test_undecided_claims_say_why_and_one_seed_has_no_interval(made) -> None:  # noqa: F811
    verdict = made(losses, CLAIMS[:1], seeds=1).claims()[0]
    assert "1 seed, so no interval" in finding(verdict)
    assert notes(verdict)[0].startswith("Undecided: one seed cannot tell")


def diverging(share):
    """Return outcomes as usual, but that SGD diverges in a share of ten seeds."""

    def outcome(labels, seed, random):
        lost = labels["optimizer"] == "sgd" and seed < 10 * share
        return None if lost else losses(labels, seed, random)

    return outcome


def test_diverged_runs_are_said(made) -> None:  # noqa: F811
    verdict = made(diverging(0.3), CLAIMS[:1], seeds=10).claims()[0]
    assert "0\u00a0% of the runs of adam and 30\u00a0% of those of sgd diverged" in " ".join(
        notes(verdict)
    )
    assert re.search(r"adam has a final test loss 0\.\d+ lower than sgd", finding(verdict))


def test_a_side_that_diverged_has_no_figure(made) -> None:  # noqa: F811
    result = made(diverging(1.0), [*CLAIMS[:1], CLAIMS[3], {
        "kind": "reaches", "which": {"optimizer": "sgd"}, "target": 3.0}], seeds=10)  # fmt: skip
    better, best, reaches = result.claims()
    alone = "All runs of sgd diverged and none of those of adam (10 seeds)."
    assert finding(better) == alone and not re.search("10³|exactly", alone)
    assert best.verdict == "supported" and "lower than rmsprop" in finding(best)
    assert finding(reaches) == "All runs of sgd diverged (10 seeds)." and not notes(reaches)
    html = str(claims(result.claims()))
    assert "nan" not in html and "inf" not in re.sub("info|inference", "", html)


def test_two_seeds_are_said_to_be_few(made) -> None:  # noqa: F811
    text = "Two seeds hardly tell how much runs differ."
    assert text in notes(made(losses, CLAIMS[:1], seeds=2).claims()[0])
    assert text not in notes(made(losses, CLAIMS[:1], seeds=3).claims()[0])


def test_an_estimate_keeps_two_digits_however_wide_its_interval_is(made) -> None:  # noqa: F811
    def outcome(labels, seed, random):
        gap = 0.0271 + (3 if seed else -3)
        return {"test_loss": [9.0, 5.0 + (gap if labels["optimizer"] == "sgd" else 0)]}

    result = made(outcome, [*CLAIMS[:1], {"kind": "reaches", "target": 7.0}], seeds=2)
    assert "a final test loss 0.027 lower than sgd" in finding(result.claims()[0])
    assert f"test loss is {result.frame()['test_loss'].mean():.2f}" in finding(result.claims()[1])


def test_the_interval_of_a_target_is_that_of_the_mean(result) -> None:
    verdict = result.claims()[4]
    ends = verdict.evidence[0].a
    low, high = t_interval(ends, verdict.level)[1:3]
    found = re.search(r"interval of the mean (\S+) to (\S+),", finding(verdict))
    assert found is not None
    shown = [float(end.replace("−", "-")) for end in found.groups()]
    assert shown == pytest.approx([low, high], abs=0.006)


def test_other_examples_have_their_say(made) -> None:  # noqa: F811
    """Of accuracies by their binomial error, of losses in words, of identical curves not at all."""

    def outcome(labels, seed, random):
        luck = 0.0 if labels["optimizer"] == "rmsprop" else 0.01 * random.normal()
        same = 0.5 + 0.01 * np.random.default_rng(seed).normal()
        return {
            "test_accuracy": [0.1, same + luck * (labels["optimizer"] == "adam")],
            "test_loss": [2.0, same + luck * (labels["optimizer"] == "adam")],
        }

    sides = {"a": {"optimizer": "sgd"}, "b": {"optimizer": "rmsprop"}}
    stated: list[dict[str, Any]] = [
        {"kind": "better", "metric": "test_accuracy", **SIDES},
        {"kind": "better", "metric": "test_loss", **SIDES},
        {"kind": "better", "metric": "test_accuracy", **sides},
    ]
    accuracy, loss, identical = made(outcome, stated, examples=100).claims()
    assert identical.verdict == "identical"
    assert any("other examples could tell another story" in note for note in notes(accuracy))
    assert any("How much other examples would change it is not known" in n for n in notes(loss))
    assert not any("examples" in note for note in notes(identical))


def test_rows_of_the_picture_name_both_sides(made) -> None:  # noqa: F811
    order = {"kind": "orders", "factor": "optimizer", "order": ["adam", "rmsprop", "sgd"]}
    html = str(claims(made(losses, [order]).claims()))
    assert "adam − rmsprop" in html and "rmsprop − sgd" in html
    assert "first side’s test loss lower than the second side’s by" in html


def test_what_goes_on_beyond_the_picture_has_an_arrow(made) -> None:  # noqa: F811
    def outcome(labels, seed, random):
        return {"test_loss": [2.0, 1 + 0.5 * seed * (labels["optimizer"] == "sgd")]}

    wide = str(claims(made(outcome, CLAIMS[:1], seeds=2).claims()))
    assert wide.count("interval arrow") == 2
    assert "interval arrow" not in str(claims(made(losses, CLAIMS[:1]).claims()))


def test_the_rule_of_the_picture(result) -> None:
    found = [rule(verdict) for verdict in result.claims()]
    assert found[0] == "Supported if the interval lies right of the line."
    assert found[2] == "Supported if the interval lies within ±0.3."
    assert found[3] == "Supported if every interval lies right of the line."


def test_the_section_has_a_verdict_and_a_picture_a_claim(result) -> None:
    verdicts = result.claims()
    html = claims(verdicts)
    assert html is not None and html.count("<article") == html.count("<svg") == len(CLAIMS)
    assert "adam &lt;wins&gt;" in html and "adam <wins>" not in html
    for verdict in verdicts:
        assert f'class="badge {verdict.verdict}"' in html
    assert html in page(result)
    assert claims([]) is None


def test_every_seed_is_a_dot_inside_the_picture(result) -> None:
    html = claims(result.claims()[:1])
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"[^>]*class="seed"', str(html))]
    assert len(places) == 6 and all(250 <= x <= 760 for x in places)


def test_an_interval_without_a_width_is_drawn(made) -> None:  # noqa: F811
    """Its bars are longer than the dot of the mean, and seeds lie beside the line."""

    def outcome(labels, seed, random):
        return {"test_loss": [2.0, 1.0 + (labels["optimizer"] == "sgd")]}

    html = str(claims(made(outcome, CLAIMS[:1]).claims()))
    bars = re.findall(r'y1="([\d.]+)" y2="([\d.]+)" class="interval"', html)
    tall = [abs(float(b) - float(a)) for a, b in bars]
    assert max(tall) > 2 * 5 and not re.search(r'cy="21.0"[^>]*class="seed"', html)


def test_the_terminal_prints_each_claim_with_its_verdict(result) -> None:
    out = io.StringIO()
    show(result, Console(file=out, width=120))
    for verdict in result.claims():
        assert re.search(rf"{verdict.verdict} +{re.escape(verdict.claim.name)}", out.getvalue())


@pytest.mark.parametrize(
    "a, b",
    [
        ("adam, learning rate 0.01", "momentum, learning rate 0.001"),
        ("momentum 0.9, momentum mmmmmmm, WWWWWWWWWWWWWWWWW", "a"),
        ("RMSPROP WITH AN UPPER-CASE LABEL", "ADAM WITH AN UPPER-CASE LABEL OF MORE LETTERS"),
        ("gradient descent, learning rate 1e-05", ""),
        ("0123456789" * 9, "warm-up of 3 epochs, batch 32 %%%%%%%%%"),
        ("adam", "sgd"),
    ],
)
def test_the_longest_label_fits_in_its_room(a, b) -> None:
    """Measured in DejaVu Sans, which is wider than what pages usually have."""
    text = _label(cast("Any", SimpleNamespace(comparison=SimpleNamespace(a=a, b=b))))
    own = FontProperties(family="DejaVu Sans")
    assert TextPath((0, 0), text, size=13, prop=own).get_extents().width <= LEFT - 12
    assert text.startswith(a[:4])
    assert text.endswith(b[-3:] or "target")
    if len(a + b) < 20:
        assert text == f"{a} − {b}"
