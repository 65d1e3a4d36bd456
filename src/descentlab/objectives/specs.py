"""Objectives by name: what the targets are, and so which losses and metrics there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import DataError, SpecError, unknown
from descentlab.core.spec import Spec

if TYPE_CHECKING:
    from descentlab.data.dataset import Dataset
    from descentlab.objectives.objective import Objective


LOSSES = ("cross_entropy", "nll", "binary_cross_entropy", "mse", "half_mse")
REGRESSION_LOSSES = ("mse", "half_mse")


class ObjectiveSpec(Spec):
    """Base of the objectives' specifications."""

    def build(self, loss: str, dataset: Dataset) -> Objective:
        """Return the objective of a loss on a data set.

        Raises:
            SpecError: the loss is unknown or does not fit the data.
        """
        raise NotImplementedError

    def minimised(self, loss: str) -> str:
        """Return the name of what is minimised."""
        return loss


class Classification(ObjectiveSpec):
    """Targets are classes; loss and accuracy are recorded.

    ``binary_cross_entropy`` takes two classes and one logit (predicted class 1 where it
    is above 0); the others take one output a class (predicted: the largest, the first
    among equals). ``mse`` and ``half_mse`` compare raw outputs with one-hot targets.
    """

    kind: Literal["classification"] = "classification"

    def build(self, loss: str, dataset: Dataset) -> Objective:
        """Return the objective for a data set, or say why loss and data do not fit."""
        from descentlab.objectives.objective import Objective

        function = _loss(loss)
        classes = len(dataset.classes)
        if classes < 2:
            found = "one class" if classes else "numeric targets (use 'objective: regression')"
            raise SpecError(
                "run.objective: classification needs at least two classes; "
                f"'{dataset.name}' has {found}"
            )
        if loss == "binary_cross_entropy" and classes != 2:
            raise SpecError(
                "run.loss: binary_cross_entropy is for two classes; "
                f"'{dataset.name}' has {classes} (use cross_entropy)"
            )
        if loss in REGRESSION_LOSSES:
            function = _one_hot(function, classes)
        binary = loss == "binary_cross_entropy"
        return Objective(
            outputs=1 if binary else classes,
            loss=function,
            metrics={"loss": function, "accuracy": _binary_correct if binary else _correct},
            prepare=lambda targets: _class_numbers(targets, classes, dataset.name),
        )


class Regression(ObjectiveSpec):
    """Targets are numbers; ``mse`` or ``half_mse`` is minimised and recorded."""

    kind: Literal["regression"] = "regression"

    def build(self, loss: str, dataset: Dataset) -> Objective:
        """Return the objective for a data set, or say why loss and data do not fit."""
        from descentlab.objectives.objective import Objective

        function = _loss(loss)
        if loss not in REGRESSION_LOSSES:
            raise SpecError(f"run.loss: {loss} is for classes; regression takes mse or half_mse")
        if dataset.classes:
            raise SpecError(
                f"run.objective: regression needs numeric targets; '{dataset.name}' has "
                f"{len(dataset.classes)} classes, whose numbers are names and no amounts. Use "
                f"'objective: classification' ({loss} then compares with one-hot targets), or "
                "data with numbers to predict ('target: numeric' for files of your own)"
            )
        outputs = _numbers(dataset.train.targets, None, dataset.name).shape[1]

        def compared(outputs: Any, targets: Any) -> Any:
            return function(outputs, targets.astype(outputs.dtype))

        return Objective(
            outputs=outputs,
            loss=compared,
            metrics={"loss": compared},
            prepare=lambda targets: _numbers(targets, outputs, dataset.name),
        )


FunctionName = Literal[
    "saddle", "rosenbrock", "himmelblau", "styblinski_tang", "goldstein_price", "quadratic",
    "beale", "rastrigin", "ackley", "hyperbolic_saddle", "monkey_saddle", "cliff", "formula",
]  # fmt: skip
ANY_NUMBER = ("rosenbrock", "styblinski_tang", "quadratic", "rastrigin", "ackley")
"""Functions of as many variables as one likes; the others are of two."""

NO_LOSS = "cross_entropy"  # the run's default, which a landscape does not look at
MOST_COORDINATES = 4


class Landscape(ObjectiveSpec):
    """A function of a point is minimised; its value and up to four coordinates are recorded.

    ``condition`` is structure: another one is another program. ``formula``, of w1 and w2, is
    that of ``function: formula``.
    """

    floats_are_data: ClassVar[bool] = False
    kind: Literal["landscape"] = "landscape"
    function: FunctionName
    condition: Annotated[float, Field(ge=1)] | None = None
    formula: str | None = None

    @model_validator(mode="after")
    def _formula_of_formula(self) -> Self:
        from descentlab.objectives.typed import checked_formula

        if (self.function == "formula") == (self.formula is None):
            raise ValueError(
                "'function: formula' needs 'formula', such as '(w1 - 1)^2 + 10*w2^2'"
                if self.formula is None
                else f"'formula' is for 'function: formula'; {self.function} has its own"
            )
        if self.formula is not None:
            try:
                checked_formula(self.formula)
            except SpecError as error:
                raise ValueError(str(error)) from None
        return self

    @model_validator(mode="after")
    def _condition_of_quadratic(self) -> Self:
        if (self.function == "quadratic") == (self.condition is None):
            raise ValueError(
                "quadratic needs 'condition', its largest curvature over the smallest, such as 100"
                if self.condition is None
                else f"'condition' {self.condition:g} is for 'function: quadratic'; "
                f"{self.function} has none to set"
            )
        return self

    def check(self, loss: str, variables: int) -> None:
        """Raise :class:`SpecError` for a loss, and for a point of other dimensions."""
        if loss != NO_LOSS:
            raise SpecError(
                f"run.loss: '{loss}' does not apply to 'objective: landscape', which minimises "
                f"{self.function} itself; leave it out"
            )
        wanted = None if self.function in ANY_NUMBER else 2
        least = 2 if self.function == "rosenbrock" else 1
        if (variables != wanted) if wanted else (variables < least):
            takes = f"{wanted} variables" if wanted else f"at least {least} variables"
            raise SpecError(
                f"run.model.start: {self.function} is a function of {takes}; "
                f"found {variables} number{'' if variables == 1 else 's'}"
            )
        if variables == 1 and self.condition not in (None, 1):
            raise SpecError(
                f"run.objective.condition: {self.condition:g} needs two variables at least; "
                "with the one of 'run.model.start' expected 1"
            )

    def build(self, loss: str, dataset: Dataset) -> Objective:
        """Return the objective of a point with as many coordinates as an example has."""
        from descentlab.objectives.objective import Objective

        variables = dataset.train.inputs.shape[1]
        self.check(loss, variables)
        function = self._function()

        def value(outputs: Any, targets: Any) -> Any:
            return function(outputs)

        shown = range(variables if variables <= MOST_COORDINATES else 0)
        coordinates = {f"x{i + 1}": _coordinate(i) for i in shown}
        return Objective(
            outputs=variables,
            loss=value,
            metrics={"loss": value, **coordinates},
            prepare=lambda targets: _numbers(targets, None, dataset.name),
        )

    def _function(self) -> Any:
        from descentlab.objectives import landscapes, typed

        if self.formula is not None:
            written = typed.function_of(self.formula)
            return lambda point: written(point, {})
        function = getattr(landscapes, self.function)
        return function if self.condition is None else function(self.condition)

    def minimised(self, loss: str) -> str:
        """Return the function's name, or its formula."""
        return self.formula or self.function


def _coordinate(index: int) -> Any:
    return lambda outputs, targets: outputs[:, index]


def _loss(name: str) -> Any:
    from descentlab.objectives import losses

    if name not in LOSSES:
        raise SpecError(f"run.loss: {unknown('loss', name, LOSSES)}")
    return getattr(losses, name)


def _class_numbers(targets: Any, classes: int, name: str) -> np.ndarray:
    """Return targets as int32, having seen that each is the number of a class."""
    targets = np.asarray(targets)
    if targets.ndim != 1 or not np.issubdtype(targets.dtype, np.integer):
        raise DataError(
            f"'{name}': class targets must be one whole number an example, found "
            f"{targets.dtype} of shape {targets.shape}"
        )
    wrong = np.flatnonzero((targets < 0) | (targets >= classes))
    if len(wrong):
        raise DataError(
            f"'{name}': targets must be class numbers from 0 to {classes - 1}, found "
            f"{targets[wrong[0]]} at example {wrong[0]} ({len(wrong)} such)"
        )
    return targets.astype(np.int32)


def _numbers(targets: Any, outputs: int | None, name: str) -> np.ndarray:
    """Return targets as a matrix of finite float64, with ``outputs`` columns if given."""
    targets = np.asarray(targets)
    matrix = targets.reshape(len(targets), -1).astype(np.float64)
    if outputs is not None and matrix.shape[1] != outputs:
        raise DataError(
            f"'{name}': each example must have {outputs} target values as in the training "
            f"part, found {matrix.shape[1]}"
        )
    wrong = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(wrong):
        raise DataError(
            f"'{name}': targets must be finite, found {matrix[wrong[0]]} at example {wrong[0]} "
            f"({len(wrong)} such)"
        )
    return matrix


def _correct(outputs: Any, targets: Any) -> Any:
    return outputs.argmax(axis=1) == targets


def _binary_correct(outputs: Any, targets: Any) -> Any:
    return (outputs[:, 0] > 0) == (targets == 1)


def _one_hot(function: Any, classes: int) -> Any:
    def compared(outputs: Any, targets: Any) -> Any:
        import jax

        return function(outputs, jax.nn.one_hot(targets, classes, dtype=outputs.dtype))

    return compared


CATALOGUE = Catalogue(
    "objective",
    {"classification": Classification, "regression": Regression, "landscape": Landscape},
)
