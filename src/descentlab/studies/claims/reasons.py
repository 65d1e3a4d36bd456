"""Why a verdict is what it is, where its interval does not say so, and what would help."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from descentlab.evaluation.decisions import Decided
from descentlab.studies.claims.evidence import Evidence
from descentlab.studies.claims.slopes import why_no_slope
from descentlab.studies.claims.spec import Slope

if TYPE_CHECKING:
    from descentlab.studies.claims.moment import Moment
    from descentlab.studies.claims.spec import Claim

IDENTICAL = "the curves are equal to the bit, so these are one and the same training"


def rests_on_diverged(claim: Claim, evidence: Sequence[Evidence]) -> bool:
    """Return whether a claim would be supported by what diverged runs are counted with.

    A diverged run counts as the worst sound one compared. That is less than the truth, so
    it may speak against its own side but not for it: it reaches no target, is within no
    margin of a sound run and is equivalent to none.
    """
    kind, margin = claim.kind, getattr(claim, "margin", 0.0)  # type: ignore[attr-defined]
    if kind == "reaches":
        return any(each.diverged[0] > 0 for each in evidence)
    if kind == "equivalent":
        return any(each.diverged[0] != each.diverged[1] for each in evidence)
    lenient = margin > 0 and kind != "better"
    return lenient and any(each.diverged[0] > each.diverged[1] for each in evidence)


def why_undecided(
    claim: Claim,
    evidence: Sequence[Evidence],
    decided: Decided,
    bounds: tuple[float, float],
    moment: Moment,
) -> str:
    """Return why a claim is undecided, and what could decide it."""
    if moment.looks and not moment.seeds:
        return (
            f"seeds are added until the claims are decided, and the first look, at "
            f"{moment.looks[0]} seeds, has not been reached; {_go_on(moment)}"
        )
    fewest = min(len(each.seeds) for each in evidence)
    if fewest == 0:
        what = "of every value" if isinstance(claim, Slope) else "on both sides"
        return f"no seed has finished runs {what} yet"
    if isinstance(claim, Slope) and (text := why_no_slope(claim, evidence[0])):
        return text
    if fewest == 1:
        return f"one seed cannot tell how much runs differ; {_more(moment)}"
    if decided.decision == "supported":
        return _resting(claim)
    above, below = bounds
    means = [each.advantage.mean for each in evidence]
    if not any(mean < above or mean > below for mean in means):  # else one may yet refute it
        for each in evidence:
            text = _for_ever(each, bounds, several=len(evidence) > 1)
            if text:
                return text
    for each, interval in zip(evidence, decided.intervals, strict=True):
        if interval.low is None:
            seeds = "two seeds" if len(each.seeds) == 2 else f"{len(each.seeds)} seeds"
            return f"runs diverged, and which of them do in {seeds} may be chance; {_more(moment)}"
    return f"the interval holds both answers; {_more(moment)}"


def _resting(claim: Claim) -> str:
    if claim.kind == "reaches":  # type: ignore[attr-defined]
        return "some runs diverged, and a diverged run does not reach the target"
    if claim.kind == "equivalent":  # type: ignore[attr-defined]
        return (
            "the sides do not diverge equally often, and a diverged run is equivalent to no sound "
            "one"
        )
    return "more runs of the first side diverged, and no margin covers that"


def _for_ever(each: Evidence, bounds: tuple[float, float], *, several: bool) -> str:
    """Return why more seeds of the same kind would not decide a comparison, or ''."""
    a, b = each.comparison.a, each.comparison.b
    if min(each.diverged) == 1:
        which = f", {a} and {b}" if several else ""
        return f"all runs of both sides diverged{which}"
    ends = [end for end in bounds if math.isfinite(end)]
    if any((each.advantage.values == end).all() for end in ends):
        if each.comparison.points:
            return "the slope is at the bound in every seed, so more seeds would hardly decide it"
        which = f"{a} and {b} have" if several else "both sides have"
        same = f"{which} the same figure" if b else "the mean is at the target"
        return (
            f"{'the difference is equal to the margin' if any(ends) else same} in every seed, so "
            "more seeds would hardly decide it; another margin, or a claim 'equivalent', would"
        )
    return ""


def _more(moment: Moment) -> str:
    """Say where more seeds can come from."""
    if moment.following is not None:
        return f"the next look is at {moment.following} seeds; {_go_on(moment)}"
    if moment.looks:
        return (
            f"all looks up to {moment.looks[-1]} seeds have been, so more need a new folder (--out)"
        )
    return (
        "more seeds may tell, in a new folder: 'descentlab run … --seeds N --out DIR', "
        "with N from 'descentlab plan'"
    )


def _go_on(moment: Moment) -> str:
    return f"'descentlab run … --until-decided --max-seeds {moment.looks[-1]}' goes on"
