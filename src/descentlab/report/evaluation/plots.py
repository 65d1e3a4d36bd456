"""All pictures of an evaluation, each a ``<figure>`` for a page."""

from __future__ import annotations

from descentlab.report.evaluation.bars import class_figure
from descentlab.report.evaluation.examples import Pictures, examples_figure
from descentlab.report.evaluation.lines import precision_recall_figure, roc_figure
from descentlab.report.evaluation.matrix import confusion_figure
from descentlab.report.evaluation.reliability import calibration_figure

__all__ = [
    "Pictures",
    "calibration_figure",
    "class_figure",
    "confusion_figure",
    "examples_figure",
    "precision_recall_figure",
    "roc_figure",
]
