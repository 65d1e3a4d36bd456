"""Input scaling; whatever is estimated is estimated on the training part alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from descentlab.core.errors import DataError

if TYPE_CHECKING:
    from descentlab.data.fields import Scale

BLOCK = 4096  # rows at a time, so that a float64 copy of 60,000 images is never made


def scale_inputs(
    inputs: dict[str, np.ndarray], scale: Scale, place: str
) -> tuple[dict[str, np.ndarray], str]:
    """Scale the parts of a data set: x ↦ (x - shift) / width, worked out in float64.

    ===============  =========================  ==============================================
    ``none``         shift 0, width 1
    ``unit``         shift 0                    width 255 (bytes), else max |x| of train
    ``standardize``  shift mean(train)          width std(train), population form (1/n)
    ``minmax``       shift min(train)           width max(train) - min(train)
    ===============  =========================  ==============================================

    The last two go by feature; a feature that is constant in train has width 1. Bytes and
    float32 become float32, all else float64.

    Returns:
        The scaled parts, and what was done in words.

    Raises:
        DataError: numbers too large to be scaled.
    """
    train = inputs["train"]
    kept = np.float32 if train.dtype in (np.uint8, np.float32) else np.float64
    with np.errstate(over="ignore", invalid="ignore"):
        shift, width, words = _scaling(train, scale)
        scaled = {name: _apply(x, shift, width, kept) for name, x in inputs.items()}
    results = [np.asarray(shift), np.asarray(width), *scaled.values()]
    if scale != "none" and not all(np.isfinite(x).all() for x in results):
        raise DataError(
            f"{place}: inputs as large as {float(np.abs(train).max()):g} overflow under "
            f"'scale: {scale}'; bring them nearer to 1 first"
        )
    return scaled, words


def _scaling(train: np.ndarray, scale: Scale) -> tuple[np.ndarray | float, np.ndarray | float, str]:
    if scale == "none":
        return 0.0, 1.0, "inputs as they are"
    if scale == "unit" and train.dtype == np.uint8:
        return 0.0, 255.0, "inputs divided by 255"
    if scale == "unit":
        top = float(np.abs(train).max()) or 1.0
        return 0.0, top, f"inputs divided by {top:g}, the largest magnitude in train"
    if scale == "minmax":
        low, high = (limit(axis=0).astype(np.float64) for limit in (train.min, train.max))
        return low, _positive(high - low), "each feature to [0, 1] by train's least and largest"
    mean = train.mean(axis=0, dtype=np.float64)
    blocks = (train[i : i + BLOCK] for i in range(0, len(train), BLOCK))
    variance = np.asarray(sum(((x - mean) ** 2).sum(axis=0) for x in blocks)) / len(train)
    # A constant column's variance is rounding only; dividing by it would make noise of it.
    rounding = np.finfo(np.float64).eps * len(train)
    constant = (variance <= rounding * variance + (rounding * mean) ** 2) & np.isfinite(variance)
    words = "each feature to mean 0 and standard deviation 1 of train (population form)"
    return mean, np.where(constant, 1.0, np.sqrt(variance)), words


def _positive(width: np.ndarray) -> np.ndarray:
    return np.where(width > 0, width, 1.0)


def _apply(
    x: np.ndarray, shift: np.ndarray | float, width: np.ndarray | float, kept: type[np.floating]
) -> np.ndarray:
    out = np.empty(x.shape, kept)
    for i in range(0, len(x), BLOCK):
        out[i : i + BLOCK] = (x[i : i + BLOCK].astype(np.float64) - shift) / width
    return out
