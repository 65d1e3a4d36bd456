from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from matplotlib.image import imread

from descentlab.report.evaluation.png import data_uri, png


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (28, 28), (1, 1, 3), (5, 4, 3)])
def test_another_reader_reads_the_same_pixels(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    back = np.round(imread(io.BytesIO(png(pixels))) * 255).astype(np.uint8)
    np.testing.assert_array_equal(back, pixels)


def test_a_data_uri_holds_the_file() -> None:
    pixels = np.zeros((2, 2), np.uint8)
    head, _, body = data_uri(pixels).partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body) == png(pixels)
