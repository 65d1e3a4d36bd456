"""Verdicts in words, in the report and in the terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from descentlab.report.claim_words import finding, notes, rule
from descentlab.report.claims import claims
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
        r"adam has a final test loss 0\.\d+ lower than sgd \(\d+(\.\d+)? % interval "
        r"0\.\d+ to 0\.\d+, 6 seeds\)\.", better
    )  # fmt: skip
    assert "sgd has a final test loss" in worse and "higher than adam" in worse
    assert "the claim's margin is 0.3" in close
    assert best.startswith("Of 2 comparisons the closest: adam has a final test loss")
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


def test_diverged_runs_are_said(made) -> None:  # noqa: F811
    def outcome(labels, seed, random):
        return None if labels["optimizer"] == "sgd" else losses(labels, seed, random)

    text = " ".join(notes(made(outcome, CLAIMS[:1]).claims()[0]))
    assert "0% of the runs of adam and 100% of those of sgd diverged" in text


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


def test_the_terminal_prints_each_claim_with_its_verdict(result) -> None:
    out = io.StringIO()
    show(result, Console(file=out, width=120))
    for verdict in result.claims():
        assert re.search(rf"{verdict.verdict} +{re.escape(verdict.claim.name)}", out.getvalue())
