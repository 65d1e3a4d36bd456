from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from descentlab.evaluation.results import Curve
from descentlab.report.evaluation import canvas
from descentlab.report.evaluation.lines import _stepped
from descentlab.report.evaluation.matrix import shown
from descentlab.report.evaluation.plots import (
    calibration_figure,
    class_figure,
    confusion_figure,
    examples_figure,
    precision_recall_figure,
    roc_figure,
)
from tests.report.evaluation import fakes

CLASSES = ("cat", "dog", "eel")


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_the_matrix_writes_counts_and_shares() -> None:
    found = fakes.ham()
    assert found.matrix is not None
    drawn = texts(confusion_figure(found, "m"))
    for row, column in zip(*np.nonzero(found.matrix), strict=True):
        assert f"{found.matrix[row, column]:,}" in drawn
    cells = [text for text in drawn if text.endswith(" %")]
    assert len(cells) == np.count_nonzero(found.matrix)
    assert {f"{each.support:,}" for each in found.per_class} <= set(drawn)


def test_up_to_sixty_classes_are_heat_alone() -> None:
    found = fakes.evaluation([f"k{i}" for i in range(30)], [20] * 30, 2.0)
    figure = confusion_figure(found, "m")
    assert set(texts(figure)) == {f"k{i}" for i in range(30)} | {"predicted class", "true class"}
    assert "Drawn are" not in figure
    assert len(figure) < 200_000


def test_of_more_classes_the_most_confused_are_drawn_and_that_is_said() -> None:
    found = fakes.hundred()
    part = shown(found)
    assert found.matrix is not None
    errors = found.matrix.sum(0) + found.matrix.sum(1) - 2 * np.diag(found.matrix)
    assert errors[part.classes].min() >= np.delete(errors, part.classes).max()
    np.testing.assert_array_equal(part.counts, found.matrix[np.ix_(part.classes, part.classes)])
    assert "Drawn are the 40 of 100 classes with the most errors" in confusion_figure(found, "m")


def test_the_matrix_needs_only_its_filled_cells() -> None:
    found = fakes.hundred()
    without = replace(found, matrix=None)
    assert confusion_figure(without, "m") == confusion_figure(found, "m")


def test_a_class_without_examples_has_an_empty_row() -> None:
    figure = confusion_figure(fakes.with_absent(), "m")
    assert "Without examples: vasc." in figure
    assert "nan" not in figure


def test_small_errors_can_be_seen() -> None:
    part = shown(fakes.digits())
    wrong = ~np.eye(10, dtype=bool)
    assert part.shares[wrong].max() < 0.02
    assert part.tints[wrong].max() > 0.3
    assert part.tints.max() <= 1
    assert shown(fakes.ham()).strongest == 1.0


def test_each_class_has_a_curve_and_a_name() -> None:
    figure = roc_figure(fakes.ham(), "o")
    assert figure
    assert figure.count('<path d="M') == 7 + 2
    for name in (*fakes.HAM, "macro", "micro"):
        assert re.search(rf"</svg>{name}: 0\.\d+ \(0\.\d+–", figure)
    assert "enlarged" not in figure


def test_a_good_classifier_has_its_corner_enlarged() -> None:
    found = fakes.digits()
    for figure in (roc_figure(found, "o"), precision_recall_figure(found, "p")):
        assert figure
        assert "The upper corner, enlarged" in figure
        assert figure.count("<clipPath") == 2


def test_of_many_classes_the_lowest_are_in_colour_and_that_is_said() -> None:
    found = fakes.hundred()
    figure = roc_figure(found, "o")
    assert figure
    assert figure.count("stroke-opacity") == 94
    lowest = min(found.per_class, key=lambda each: each.auc.value or 1)
    legend = figure.split("<svg viewBox")[0] + figure.split("</ul>")[0]
    assert lowest.name in legend
    assert "In colour: the 6 of 100 classes with the lowest figure; in grey 94 others." in figure


def test_a_class_without_a_curve_is_named() -> None:
    figure = precision_recall_figure(fakes.with_absent(), "p")
    assert figure
    assert "Without a curve, because undefined: vasc." in figure


def test_the_area_under_the_steps_is_the_average_precision() -> None:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    generator = np.random.default_rng(3)
    label = generator.random(60) < 0.3
    score = np.round(generator.random(60) + 0.4 * label, 1)
    y, x, threshold = precision_recall_curve(label, score)
    expected = average_precision_score(label, score)
    for curve in (Curve(x, y, threshold), Curve(x[::-1], y[::-1], threshold)):
        steps = _stepped(curve)
        assert -np.trapezoid(steps.y, steps.x) == pytest.approx(expected, abs=1e-12)


def test_calibration_shows_filled_bins_with_their_intervals() -> None:
    found = fakes.ham()
    figure = calibration_figure(found, "r")
    assert figure
    assert found.calibration
    filled = np.count_nonzero(found.calibration.count)
    assert figure.count("<circle") == filled
    assert figure.count("<rect") == filled
    assert f"{found.calibration.count.max():,}" in texts(figure)
    assert "0.061 (0.049–0.073)" in figure
    assert "nan" not in figure


def test_bars_say_what_is_undefined() -> None:
    figure = class_figure(fakes.with_absent(), "b")
    assert texts(figure).count("undefined (n = 0)") == 2  # recall and F1
    assert texts(figure).count("undefined (never predicted)") == 1
    assert "nan" not in figure
    assert "Dashed: the macro mean." in figure


def test_of_many_classes_the_worst_have_bars() -> None:
    figure = class_figure(fakes.hundred(), "b")
    assert "Drawn are the 30 classes with the lowest recall; 70 more" in figure


def test_bars_stay_within_their_panels() -> None:
    figure = class_figure(fakes.without_width(fakes.two()), "b")
    widths = [float(w) for w in re.findall(r'<rect[^>]* width="([\d.]+)"', figure)]
    assert len(widths) == 6
    assert all(0 < w < canvas.PAGE / 3 for w in widths)


def test_without_scores_there_are_no_curves() -> None:
    found = fakes.ham(scores=False)
    assert roc_figure(found, "o") is None
    assert precision_recall_figure(found, "p") is None
    assert calibration_figure(found, "r") is None


def test_a_path_keeps_the_shape_and_drops_what_no_one_sees() -> None:
    x = np.linspace(0, 100, 1001)
    assert canvas.path(x, np.zeros(1001)) == "M0 0L100 0"
    assert canvas.path(np.array([0.0, 0, 10, 10]), np.array([0.0, 5, 5, 9])) == (
        "M0 0L0 5L10 5L10 9"
    )
    assert canvas.path(np.zeros(0), np.zeros(0)) == ""


def test_a_text_is_cut_where_it_does_not_fit() -> None:
    assert canvas.fitting("short", 100) == "short"
    cut = canvas.fitting("a very long name of a class", 80)
    assert cut.endswith("…")
    assert canvas.width_of(cut) <= 80
    assert canvas.width_of("猫猫") > canvas.width_of("ab")


def pictures(n: int = 60, colour: bool = False):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, n)
    predictions = np.where(generator.random(n) < 0.5, labels, (labels + 1) % 3)
    images = generator.random((n, 6, 5, 3) if colour else (n, 6, 5))
    return images, labels, predictions, generator.random(n)


def decoded(figure: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', figure)
    return [imread(io.BytesIO(base64.b64decode(each))) for each in found]


@pytest.mark.parametrize("colour", [False, True])
def test_examples_show_right_and_wrong_ones(colour: bool) -> None:
    images, labels, predictions, confidence = pictures(colour=colour)
    figure = examples_figure(images, labels, predictions, CLASSES, confidence)
    wrong = np.count_nonzero(labels != predictions)
    assert f"Wrong: 24 of {wrong}, of each class those of which the model was the surest" in figure
    assert f"Right: 12 of {60 - wrong}" in figure
    assert figure.count("<img") == 36
    found = decoded(figure)
    scaled = {np.round(image * 255).astype(np.uint8).tobytes() for image in images}
    assert all(np.round(each * 255).astype(np.uint8).tobytes() in scaled for each in found)


def test_the_surest_error_of_a_class_is_shown_with_its_words() -> None:
    images, labels, predictions, confidence = pictures()
    figure = examples_figure(images, labels, predictions, CLASSES, confidence)
    for one in range(3):
        own = np.flatnonzero((labels == one) & (labels != predictions))
        surest = own[np.argmax(confidence[own])]
        words = f"&#x27;{CLASSES[one]}&#x27;, taken for &#x27;{CLASSES[predictions[surest]]}&#x27;"
        item = next(each for each in figure.split("<li>") if words in each)
        np.testing.assert_allclose(decoded(item)[0], images[surest], atol=0.002)
        assert f"{100 * confidence[surest]:.0f} %" in item


def test_one_class_does_not_fill_the_grid() -> None:
    labels = np.r_[np.zeros(100, int), 1, 2]
    predictions = np.r_[np.ones(100, int), 0, 0]
    figure = examples_figure(np.zeros((102, 4, 4)), labels, predictions, CLASSES)
    assert "&#x27;dog&#x27;, taken for &#x27;cat&#x27;" in figure
    assert "&#x27;eel&#x27;, taken for &#x27;cat&#x27;" in figure
    assert "Wrong: 24 of 102, the first of each class" in figure
    assert "Right: none" in figure


def test_standardised_and_large_pictures() -> None:
    images = np.zeros((2, 300, 200))
    images[0, :150] = -2.0
    images[0, 150:] = 6.0
    images[1, 0, 0] = np.nan
    figure = examples_figure(images, np.array([0, 1]), np.array([0, 2]), CLASSES)
    one, other = sorted(decoded(figure), key=np.ptp, reverse=True)
    assert one.shape == (75, 50)
    assert (one.min(), one.max()) == (0.0, 1.0)
    assert other[-1, -1] == pytest.approx(0.25, abs=0.003)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((2, 4)), np.zeros(2, int), r"images must be .* have the shape \[2, 4\]"),
        (np.zeros((2, 4, 4, 2)), np.zeros(2, int), r"images must be .*\[2, 4, 4, 2\]"),
        (np.zeros((2, 4, 4)), np.zeros(3, int), r"labels must have one value for each of the 2"),
    ],
)
def test_pictures_that_do_not_fit_are_an_error(images, labels, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        examples_figure(images, labels, np.zeros(2, int), CLASSES)
