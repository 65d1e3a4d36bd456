"""Examples as pictures, with what they are and what the model took them for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from descentlab.report import numbers
from descentlab.report.evaluation import wording
from descentlab.report.evaluation.png import data_uri
from descentlab.report.markup import Markup, tag

MOST_WRONG, MOST_RIGHT = 24, 12
LARGEST_SIDE = 80  # pixels of an embedded picture


@dataclass(frozen=True)
class Pictures:
    """Examples that can be shown, in the order of the predictions.

    Attributes:
        images: grey or RGB; within 0 and 1, or stretched to their own range.
        labels: the true class of each, an index.
        predictions: the class that the model answered, an index.
        confidence: the probability that it gave its answer, if known.
    """

    images: Float[np.ndarray, "n height width *channels"]
    labels: Int[np.ndarray, " n"]
    predictions: Int[np.ndarray, " n"]
    confidence: Float[np.ndarray, " n"] | None = None


def examples_figure(
    images: Float[np.ndarray, "n height width *channels"],
    labels: Int[np.ndarray, " n"],
    predictions: Int[np.ndarray, " n"],
    classes: Sequence[str],
    confidence: Float[np.ndarray, " n"] | None = None,
) -> Markup:
    """Return wrong and right examples as two grids of pictures with captions.

    Of the wrong ones those come first of which the model was the surest, class by class in
    turn, so that one class does not fill the grid; without confidences the first ones.

    Args:
        images: ``[n, height, width]`` grey or ``[n, height, width, 3]`` RGB, within 0 and 1;
            other values (standardised ones) are stretched, from the least to the largest shown.
        labels: the true class of each, an index into ``classes``.
        predictions: the class that the model answered, likewise.
        classes: their names.
        confidence: the probability that the model gave its answer, if known.

    Raises:
        ValueError: the lengths differ, or the images are neither grey nor RGB.
    """
    pictures = Pictures(*_checked(images, labels, predictions, confidence))
    wrong = np.flatnonzero(pictures.labels != pictures.predictions)
    right = np.flatnonzero(pictures.labels == pictures.predictions)
    grids = [_in_turn(wrong, pictures, MOST_WRONG), _in_turn(right, pictures, MOST_RIGHT)]
    low, high = _range(pictures.images[[*grids[0], *grids[1]]])
    parts = []
    for name, found, chosen in zip(("Wrong", "Right"), (wrong, right), grids, strict=True):
        how = "" if len(found) == len(chosen) else _how(pictures)
        total = f"{numbers.count(len(chosen))} of {numbers.count(len(found))}"
        head = f"{name}: {total}{how}" if len(found) else f"{name}: none"
        parts.append(tag("p", head, class_="grid-title"))
        items = [_item(pictures, i, classes, low, high) for i in chosen]
        parts.append(tag("ul", *items, class_="examples") if items else None)
    return tag("figure", *parts, tag("figcaption", _caption(pictures)))


def _checked(
    images: np.ndarray, labels: np.ndarray, predictions: np.ndarray, confidence: np.ndarray | None
) -> tuple[Any, Any, Any, Any]:
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[-1] != 3):
        raise ValueError(
            "images must be [n, height, width] or [n, height, width, 3]; "
            f"these have the shape {list(images.shape)}"
        )
    given = {"labels": labels, "predictions": predictions, "confidence": confidence}
    arrays = {name: None if a is None else np.asarray(a) for name, a in given.items()}
    for name, array in arrays.items():
        if array is not None and array.shape != (len(images),):
            raise ValueError(
                f"{name} must have one value for each of the {len(images)} images; "
                f"its shape is {list(array.shape)}"
            )
    return images, arrays["labels"], arrays["predictions"], arrays["confidence"]


def _in_turn(found: np.ndarray, pictures: Pictures, most: int) -> list[int]:
    """Return examples of one class after the other, the surest of each class first."""
    if pictures.confidence is not None:
        found = found[np.argsort(-pictures.confidence[found], kind="stable")]
    own = pictures.labels[found]
    order = np.argsort(own, kind="stable")
    turn = np.empty(len(found), int)
    starts = np.r_[0, np.flatnonzero(np.diff(own[order])) + 1] if len(found) else np.zeros(0, int)
    lengths = np.diff(np.r_[starts, len(found)])
    turn[order] = np.arange(len(found)) - np.repeat(starts, lengths)
    chosen = found[np.lexsort((own, turn))][:most]
    return chosen[np.argsort(pictures.labels[chosen], kind="stable")].tolist()


def _how(pictures: Pictures) -> str:
    if pictures.confidence is None:
        return ", the first of each class"
    return ", of each class those of which the model was the surest"


def _range(images: np.ndarray) -> tuple[float, float]:
    """Return the values that become black and white."""
    finite = images[np.isfinite(images)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return low, high if high > low else low + 1


def _item(
    pictures: Pictures, index: int, classes: Sequence[str], low: float, high: float
) -> Markup:
    label, answer = (classes[int(a[index])] for a in (pictures.labels, pictures.predictions))
    pixels = _pixels(pictures.images[index], low, high)
    sure = ""
    if pictures.confidence is not None:
        sure = wording.percent(float(pictures.confidence[index]))
    if label == answer:
        caption = [tag("b", label)]
        words = f"'{label}', recognised"
    else:
        caption = [tag("b", label), tag("span", "→ ", answer, class_="bad")]
        words = f"'{label}', taken for '{answer}'"
    if sure:
        caption.append(tag("small", sure))
    image = tag("img", src=data_uri(pixels), alt=words)
    return tag("li", image, tag("span", *caption, class_="label"))


def _pixels(image: np.ndarray, low: float, high: float) -> np.ndarray:
    stride = -(-max(image.shape[:2]) // LARGEST_SIDE)
    if stride > 1:  # means of blocks
        tall, wide = (side // stride * stride for side in image.shape[:2])
        blocks = image[:tall, :wide].reshape(tall // stride, stride, wide // stride, stride, -1)
        image = blocks.mean(axis=(1, 3)).reshape(tall // stride, wide // stride, *image.shape[2:])
    scaled = np.clip((np.nan_to_num(image, nan=low) - low) / (high - low), 0, 1)
    return np.round(scaled * 255).astype(np.uint8)


def _caption(pictures: Pictures) -> str:
    text = "In bold the true class, after the arrow what the model took it for"
    if pictures.confidence is not None:
        text += ", then the probability that it gave its answer"
    return f"{text}."
