"""Short names for people: factors, metrics, configurations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

ABSENT = "–"
COORDINATE = re.compile(r"_x\d+$")
LAST = re.compile(r"^.*?([^.]*(\.\d+)*)$")  # a place in a list belongs to the list's name


def metric_name(metric: str) -> str:
    """Return ``test_accuracy`` as 'test accuracy'."""
    return metric.replace("_", " ")


def is_coordinate(metric: str) -> bool:
    """Return whether a metric such as ``train_x1`` is a coordinate: neither good nor bad."""
    return COORDINATE.search(metric) is not None


def factor_names(factors: Sequence[str]) -> dict[str, str]:
    """Return a short name for each factor: the last word of its path if no other has it.

    ``optimizer.learning_rate`` becomes 'learning rate' unless, say,
    ``schedule.learning_rate`` is a factor too; ``model.hidden.0`` becomes 'hidden 0'.
    """
    last = {factor: re.sub("[._]", " ", LAST.sub(r"\1", factor)) for factor in factors}
    often = Counter(last.values())
    return {f: name if often[name] == 1 else f.replace("_", " ") for f, name in last.items()}


def configuration_name(labels: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Return one line for a configuration: 'GD + momentum, learning rate 0.5, momentum 0.9'.

    A label that is a number or a yes/no means nothing without its factor's name.
    """
    parts = [
        f"{names.get(factor, factor)} {label}" if _needs_name(label) else label
        for factor, label in labels.items()
    ]
    return ", ".join(parts) or "the run"


def _needs_name(label: str) -> bool:
    if label.lower() in {"true", "false", "none", "null"}:
        return True
    try:
        float(label.split("-")[0] or label)
    except ValueError:
        return False
    return True
