"""Maps in files: basins over a landscape's contours, and stability over rate and β."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from descentlab.engine.descents.basins import DIVERGED, NONE, Basins
from descentlab.engine.descents.minima import grid, values
from descentlab.engine.descents.outcome import OUTCOMES
from descentlab.engine.descents.stability import Stability
from descentlab.report.palette import CATEGORIES

NOWHERE, AWAY = "#d9d9d9", "#222222"
"""Colours of starts that reach no minimum, and of those that diverge."""

OUTCOME_COLOURS: dict[str, str] = dict(
    zip(OUTCOMES, (CATEGORIES[2], CATEGORIES[1], AWAY, NOWHERE), strict=True)
)
SIZE, DOTS = (6.4, 5.4), 150
LEVELS = 14
MOST_NAMED = 12


def write_basins(found: Basins, path: Path) -> None:
    """Write a picture of basins, one colour a minimum, with contours and the minima.

    The file's ending says the format: png, svg or pdf.
    """

    def draw(figure: Any, axes: Any) -> None:
        colours = [basin_colour(number) for number in range(len(found.minima))]
        extent = (*found.domain[0], *found.domain[1])
        axes.imshow(
            _pixels(found.index, dict(enumerate(colours))),
            origin="lower", extent=extent, aspect=_aspect(found), interpolation="nearest",
        )  # fmt: skip
        places = grid(found.landscape, 161, 161)
        height = values(found.landscape, places)
        finite = height[np.isfinite(height)]
        if finite.size and np.ptp(finite) > 0:
            levels = np.unique(np.quantile(finite, np.linspace(0.01, 0.95, LEVELS)))
            axes.contour(
                places[..., 0], places[..., 1], height, levels=levels, colors="#00000055",
                linewidths=0.6,
            )  # fmt: skip
        for minimum in found.minima:
            axes.plot(*minimum.point, "o", color="white", markeredgecolor="black", markersize=4)
        axes.set(xlabel="w1", ylabel="w2", xlim=extent[:2], ylim=extent[2:])
        axes.set_title(
            f"{found.landscape.title}: {found.method.name}, {found.steps:,} updates",
            parse_math=False,
        )
        counts = found.counts
        named = [
            (colours[n], f"({m.point[0]:.3g}, {m.point[1]:.3g}): {counts[n] / found.starts:.1%}")
            for n, m in enumerate(found.minima[:MOST_NAMED])
        ]
        named += [
            (colour, f"{text}: {counts[number] / found.starts:.1%}")
            for number, colour, text in ((NONE, NOWHERE, "none"), (DIVERGED, AWAY, "diverged"))
            if counts[number]
        ]
        _legend(figure, axes, named)

    _write(path, draw)


def write_stability(found: Stability, path: Path) -> None:
    """Write a picture of a stability map, one colour an outcome."""

    def draw(figure: Any, axes: Any) -> None:
        colours = {n: OUTCOME_COLOURS[name] for n, name in enumerate(OUTCOMES)}
        axes.pcolormesh(
            found.rates, found.values, _pixels(found.outcome, colours), shading="nearest"
        )
        axes.set(xscale="log", xlabel="learning rate")
        axes.set_ylabel("β" if found.other == "beta" else "decay of the learning rate")
        if found.other != "beta":
            axes.set_yscale("log")
        axes.set_title(
            f"{found.landscape.title}: {found.method.name}, {found.steps:,} updates",
            parse_math=False,
        )
        named = [
            (OUTCOME_COLOURS[name], f"{name}: {count / found.outcome.size:.1%}")
            for name, count in found.counts.items()
        ]
        _legend(figure, axes, named)

    _write(path, draw)


def basin_colour(number: int) -> str:
    """Return the colour of a minimum's basin; they come again where there are many."""
    return CATEGORIES[number % len(CATEGORIES)]


def _aspect(found: Basins) -> str:
    """Return equal units on both axes, unless one is much longer."""
    width, height = (high - low for low, high in found.domain)
    return "equal" if 0.5 <= width / height <= 2 else "auto"


def _pixels(numbers: np.ndarray, colours: dict[int, str]) -> np.ndarray:
    from matplotlib.colors import to_rgb

    named = {NONE: NOWHERE, DIVERGED: AWAY} | colours
    table = np.zeros((256, 3))
    for number, colour in named.items():
        table[number % 256] = to_rgb(colour)
    return table[numbers.astype(np.int64) % 256]


def _legend(figure: Any, axes: Any, named: list[tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=text) for colour, text in named]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)


def _write(path: Path, draw: Callable[[Any, Any], None]) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=SIZE, layout="constrained")
        draw(figure, figure.add_subplot())
        figure.savefig(path, dpi=DOTS, bbox_inches="tight")
