"""Which leaves of a model are its parameters."""

from __future__ import annotations

from typing import Any

import equinox as eqx


def trainable(leaf: Any) -> bool:
    """Whether a leaf of a model is a parameter; a ``Setting`` holds data and is none."""
    return eqx.is_inexact_array(leaf)


def is_setting(node: Any) -> bool:
    """Whether a node of a model is marked as data of the run, not to be trained."""
    return getattr(node, "is_setting", False) is True
