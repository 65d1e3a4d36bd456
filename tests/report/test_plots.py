from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from descentlab.report import palette
from descentlab.report.axes import axis_of
from descentlab.report.curves import Band
from descentlab.report.plots import Line, Panel, Plot, draw

NASTY = "<b>a & b</b> $x^2$ _y_"


def band(rate: float, runs: int = 5) -> Band:
    x = np.arange(20.0)
    mean = np.exp(-rate * x)
    whole = x < 15
    return Band(x, mean, mean * 0.9, mean * 1.1, whole, ((14.0, float(mean[14])),), runs)


def plot(key: str = "p0", labelled: bool = True) -> Plot:
    lines = tuple(
        Line(name, colour, band(rate), dashed=rate > 0.5)
        for name, colour, rate in (
            ("one", palette.CATEGORIES[0], 0.1),
            (NASTY, palette.RAMP[3], 0.6),
        )
    )
    axis = axis_of("train_loss", [line.band for line in lines])
    panel = Panel("train loss", lines, axis)
    return Plot(key, (panel, panel), "epoch", NASTY, "In words & more", labelled=labelled)


@pytest.fixture(scope="module")
def svg() -> str:
    return draw(plot())


def test_it_is_well_formed_and_has_real_text(svg: str) -> None:
    root = ElementTree.fromstring(svg)
    texts = ["".join(element.itertext()) for element in root.iter() if element.tag == "text"]
    assert {"one", NASTY, "train loss", "epoch"} <= set(texts)
    assert root.get("role") == "img"
    assert root.find("title").text == NASTY
    assert root.find("desc").text == "In words & more"


def test_it_reaches_for_nothing_outside(svg: str) -> None:
    assert not re.search(r"https?:|<style|<metadata|<script|xlink", svg)


def test_its_colours_and_font_are_the_pages(svg: str) -> None:
    assert "currentColor" in svg
    assert f"var(--c0, {palette.CATEGORIES[0]})" in svg
    assert f"var(--r3, {palette.RAMP[3]})" in svg
    assert "font-family" not in svg
    assert "DejaVu" not in svg
    for stand_in in (palette.TEXT, palette.GRID):
        assert stand_in not in svg
    rest = re.sub(r"var\(--\w+, #\w{6}\)", "", svg)
    assert not re.search(r"#[0-9a-f]{6}\b", rest), "a colour that does not follow the theme"


def test_ids_are_its_own_and_all_in_use(svg: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert all(ident.startswith("p0-") for ident in ids)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) | {"p0-t", "p0-d"}
    assert used == set(ids)


def test_the_same_plot_is_the_same_text(svg: str) -> None:
    assert draw(plot()) == svg
    assert draw(plot("p1")) != svg


def test_matplotlibs_settings_are_left_alone() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    draw(plot(labelled=False))
    assert dict(mpl.rcParams) == before


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(
    ("colours", "paper"),
    [
        (palette.CATEGORIES, "#ffffff"),
        (palette.RAMP, "#ffffff"),
        (palette.CATEGORIES_DARK, "#14161a"),
        (palette.RAMP_DARK, "#14161a"),
    ],
)
def test_lines_stand_out_from_the_paper(colours: tuple[str, ...], paper: str) -> None:
    for colour in colours:
        low, high = sorted((luminance(colour), luminance(paper)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour


# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(colour: str, vision: np.ndarray) -> np.ndarray:
    seen = np.clip(np.asarray(vision) @ linear(colour), 0, 1)
    return TO_LAB @ np.cbrt(TO_LMS @ seen)


@pytest.mark.parametrize("colours", [palette.CATEGORIES, palette.CATEGORIES_DARK])
@pytest.mark.parametrize("vision", VISION)
def test_lines_can_be_told_apart_by_everyone(colours: tuple[str, ...], vision: str) -> None:
    seen = [oklab(colour, VISION[vision]) for colour in colours]
    apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(apart) > 0.1


def test_numbers_in_order_get_a_ramp_and_names_do_not() -> None:
    assert palette.colours(["0.01", "0.1", "1"]) == [palette.RAMP[i] for i in (0, 4, 7)]
    assert palette.colours(["relu", "tanh"]) == list(palette.CATEGORIES[:2])
    assert palette.colours([]) == []


def test_no_global_state_of_pyplot(fakes: ModuleType, tmp_path: Path) -> None:
    import sys

    from descentlab.report.html import page

    sys.modules.pop("matplotlib.pyplot", None)
    page(fakes.digits(tmp_path, seeds=2, epochs=4))
    assert "matplotlib.pyplot" not in sys.modules
