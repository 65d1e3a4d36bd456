"""Objectives by name: what the targets are, and so which losses and metrics there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec

if TYPE_CHECKING:
    from descentlab.data.dataset import Dataset
    from descentlab.objectives.objective import Objective


class Classification(Spec):
    """Targets are classes; loss and accuracy are recorded.

    ``binary_cross_entropy`` takes two classes and one logit (predicted class 1 where it
    is above 0); the others take one output a class (predicted: the largest, the first
    among equals). ``mse`` and ``half_mse`` compare raw outputs with one-hot targets.
    """

    kind: Literal["classification"] = "classification"

    def build(self, loss: str, dataset: Dataset) -> Objective:
        """Return the objective for a data set, or say why loss and data do not fit."""
        from descentlab.objectives import losses
        from descentlab.objectives.objective import Objective

        classes = len(dataset.classes)
        if classes < 2:
            found = f"{classes} classes" if classes else "numeric targets"
            raise SpecError(
                f"run.objective: classification needs at least two classes; '{dataset.name}' has "
                f"{found}" + ("" if classes else " (use 'objective: regression')")
            )
        if loss == "binary_cross_entropy" and classes != 2:
            raise SpecError(
                f"run.loss: binary_cross_entropy is for two classes; '{dataset.name}' has {classes} "
                "(use cross_entropy)"
            )
        function = getattr(losses, loss)
        if loss in ("mse", "half_mse"):
            function = _one_hot(function, classes)
        binary = loss == "binary_cross_entropy"
        return Objective(
            outputs=1 if binary else classes,
            loss=function,
            metrics={"loss": function, "accuracy": _binary_correct if binary else _correct},
            prepare=lambda targets: np.asarray(targets, np.int32),
        )


class Regression(Spec):
    """Targets are numbers; ``mse`` or ``half_mse`` is minimised and recorded."""

    kind: Literal["regression"] = "regression"

    def build(self, loss: str, dataset: Dataset) -> Objective:
        """Return the objective for a data set, or say why loss and data do not fit."""
        from descentlab.objectives import losses
        from descentlab.objectives.objective import Objective

        if loss not in ("mse", "half_mse"):
            raise SpecError(f"run.loss: {loss} is for classes; regression takes mse or half_mse")
        targets = _matrix(dataset.train.targets)
        function = getattr(losses, loss)

        def compared(outputs: Any, targets: Any) -> Any:
            return function(outputs, targets.astype(outputs.dtype))

        return Objective(targets.shape[1], compared, {"loss": compared}, _matrix)


def _matrix(targets: np.ndarray) -> np.ndarray:
    targets = np.asarray(targets)
    return targets.reshape(len(targets), -1).astype(np.float64)


def _correct(outputs: Any, targets: Any) -> Any:
    return outputs.argmax(axis=1) == targets


def _binary_correct(outputs: Any, targets: Any) -> Any:
    return (outputs[:, 0] > 0) == (targets == 1)


def _one_hot(function: Any, classes: int) -> Any:
    import jax

    return lambda outputs, targets: function(
        outputs, jax.nn.one_hot(targets, classes, dtype=outputs.dtype)
    )


CATALOGUE = Catalogue(
    "objective", {"classification": Classification, "regression": Regression}
)
