"""How a metric falls with a varied number: the slope of its logarithm, seed by seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from descentlab.evaluation.decisions import Advantage
from descentlab.studies.claims.comparisons import Comparison
from descentlab.studies.claims.evidence import Evidence, Figures

if TYPE_CHECKING:
    from descentlab.studies.claims.spec import Slope


def slopes(
    x: Float[np.ndarray, " values"], y: Float[np.ndarray, "seeds values"]
) -> Float[np.ndarray, " seeds"]:
    """Return the least-squares slope b of ln y against ln x for each seed.

    b = Σ (ln x - mean) ln y / Σ (ln x - mean)²; NaN for a seed with a y that is not above 0.

    >>> slopes(np.array([1.0, 10.0, 100.0]), np.array([[5.0, 0.5, 0.05]])).round(9)
    array([-1.])
    """
    across = np.log(x) - np.log(x).mean()
    known = np.asarray(np.isfinite(y) & (y > 0)).all(axis=1)
    up = np.log(np.where(np.expand_dims(known, 1), y, 1.0))
    return np.where(known, up @ across / (across @ across), np.nan)


def gather_slope(claim: Slope, comparison: Comparison, figures: Figures) -> Evidence:
    """Return the slope of each finished seed, and the figures that it is through.

    Configurations with one value of the factor are averaged within a seed. A seed in which a run
    diverged, or whose figure is not above ``minus``, has no slope: there is no worst figure
    to count it with, because one end of a line pulls either way.
    """
    seeds = figures.seeds(comparison.ids)
    sides = [figures.side(cell.a, seeds) for cell in comparison.cells]
    means = np.stack([side.values.mean(axis=1) for side in sides], axis=1) - claim.minus
    found = slopes(np.array(comparison.points), means)
    diverged = np.concatenate([side.diverged for side in sides], axis=1)
    share = float(diverged.mean()) if diverged.size else 0.0
    nothing = np.zeros(0)
    return Evidence(
        comparison, tuple(seeds), Advantage(found), means, nothing, (share, 0.0), False, None
    )


def why_no_slope(claim: Slope, each: Evidence) -> str:
    """Return why some seeds have no slope, or '' if all have one."""
    lost = int(np.isnan(each.advantage.values).sum())
    if not lost:
        return ""
    seeds = f"in {lost} of {len(each.seeds)} seeds"
    if each.diverged[0]:
        return f"{seeds} a run diverged, and a line through the others would hide that"
    return (
        f"{seeds} the metric is not above {claim.minus:g}, which is taken off it, at every value, "
        "so it has no logarithm there"
    )
