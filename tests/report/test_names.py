"""Names for people."""

from __future__ import annotations

from descentlab.report.names import factor_names


def test_a_factor_is_called_by_the_last_word_that_tells_it_apart() -> None:
    paths = ["optimizer.learning_rate", "model.hidden.0", "speed"]
    assert list(factor_names(paths).values()) == ["learning rate", "hidden 0", "speed"]
    assert factor_names(["a.x_y", "b.x_y"]) == {"a.x_y": "a.x y", "b.x_y": "b.x y"}
