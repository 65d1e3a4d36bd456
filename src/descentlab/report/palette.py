"""Line colours that hold on white and on black paper, and with any kind of colour vision.

The categorical colours were searched for the largest smallest difference (OKLab)
under normal vision and under simulated protanopia, deuteranopia and tritanopia
(Machado, Oliveira and Fernandes 2009), with a contrast of at least 3 : 1 against the
paper, for eight at once: the smallest of the 28 differences is 0.11. The ordinal ramp
runs in lightness, so it keeps its order in grey. In SVG a colour is a CSS variable
with the one for white paper to fall back on.
"""

from __future__ import annotations

CATEGORIES = (
    "#0061a2",
    "#d06217",
    "#3d997b",
    "#9c2a67",
    "#906eda",
    "#4a4c00",
    "#1d1f82",
    "#581631",
)
CATEGORIES_DARK = (
    "#2f79d6",
    "#e89700",
    "#53c48e",
    "#bd4a84",
    "#bd95ed",
    "#7d8100",
    "#88f1ff",
    "#e1e85d",
)
RAMP = ("#d97727", "#d15f3c", "#c25054", "#a93c60", "#8d2d68", "#6f216c", "#50166b", "#310a64")
RAMP_DARK = ("#7f76dc", "#ac78d8", "#d27cca", "#f185b4", "#ff949c", "#ffa985", "#ffc276", "#ffde79")

TEXT, GRID, PAPER = "#010203", "#040506", "#fdfefd"  # stand-ins that the SVG's clean-up replaces


def colours(labels: list[str]) -> list[str]:
    """Return a colour for each label: a ramp if they are numbers in order, else categories."""
    if len(labels) > 2 and _ordered(labels):
        places = [round(i * (len(RAMP) - 1) / (len(labels) - 1)) for i in range(len(labels))]
        return [RAMP[place] for place in places]
    return [CATEGORIES[i % len(CATEGORIES)] for i in range(len(labels))]


def variables() -> dict[str, str]:
    """Return the CSS variable of every colour by its value on white paper."""
    named = {colour: f"--c{i}" for i, colour in enumerate(CATEGORIES)}
    return named | {colour: f"--r{i}" for i, colour in enumerate(RAMP)}


def variable(colour: str) -> str:
    """Return a colour as CSS writes it in the report."""
    return f"var({variables()[colour]}, {colour})"


def css() -> str:
    """Return the rules that give every colour its value in light and in dark."""
    names = [*variables().values()]
    light = _rule(names, [*CATEGORIES, *RAMP])
    dark = _rule(names, [*CATEGORIES_DARK, *RAMP_DARK])
    return (
        f":root{{{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}"
    )


def _rule(names: list[str], values: list[str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in zip(names, values, strict=True))


def _ordered(labels: list[str]) -> bool:
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        return False
    return numbers == sorted(numbers) or numbers == sorted(numbers, reverse=True)
