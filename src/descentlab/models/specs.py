"""Models by name: linear, logistic, multi-layer perceptron, a point, and one's own.

Convolutional models come with a later release; they will be kinds of this catalogue.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import SpecError, unknown
from descentlab.core.spec import Spec
from descentlab.models.activations import ActivationName, activation
from descentlab.models.initial import CATALOGUE as INITIAL

InitialField = Annotated[Any, PlainValidator(INITIAL.validate)]


class Model(Spec):
    """Base of the models' specifications."""

    batched: ClassVar[bool] = True
    """Whether the module takes a batch; an imported one takes one example, as Equinox's do."""

    def build(self, input_shape: tuple[int, ...], outputs: int, *, key: Any, dtype: Any) -> Any:
        """Return the Equinox module with its initial weights.

        Called inside a compiled program, so that floats may be traced.

        Args:
            input_shape: of one example.
            outputs: number of outputs of one example.
            key: a typed JAX key; it alone decides the initial weights.
            dtype: of the parameters: ``float32`` or ``float64``.
        """
        raise NotImplementedError


class Linear(Model):
    """A linear model: outputs = x W + b, on flattened inputs."""

    kind: Literal["linear"] = "linear"
    bias: bool = True
    initial: InitialField = Field(default="zeros", validate_default=True)

    def build(self, input_shape: tuple[int, ...], outputs: int, *, key: Any, dtype: Any) -> Any:
        """Return the module."""
        from descentlab.models.modules import MLP

        return MLP(
            input_shape,
            (),
            outputs,
            activation("identity"),
            self.initial,
            bias=self.bias,
            key=key,
            dtype=dtype,
        )


class Logistic(Linear):
    """Logistic regression: a linear model whose outputs are logits (softmax for many classes)."""

    kind: Literal["logistic"] = "logistic"  # type: ignore[assignment]


class MultiLayerPerceptron(Model):
    """Dense hidden layers with an activation and, if asked for, dropout after each."""

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (32,)
    activation: ActivationName = "relu"
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    bias: bool = True
    initial: InitialField = Field(default="torch", validate_default=True)

    def build(self, input_shape: tuple[int, ...], outputs: int, *, key: Any, dtype: Any) -> Any:
        """Return the module."""
        from descentlab.models.modules import MLP

        return MLP(
            input_shape,
            self.hidden,
            outputs,
            activation(self.activation),
            self.initial,
            bias=self.bias,
            dropout=self.dropout,
            key=key,
            dtype=dtype,
        )


class Point(Model):
    """A point: the parameters are the output; where a landscape's descent starts.

    ``start`` is displaced by a seed's normal deviates times ``spread``.
    """

    kind: Literal["point"] = "point"
    start: tuple[float, ...] = Field(min_length=1)
    spread: float = Field(default=0.0, ge=0)

    @property
    def variables(self) -> int:
        """The number of coordinates."""
        return len(self.start)

    def build(self, input_shape: tuple[int, ...], outputs: int, *, key: Any, dtype: Any) -> Any:
        """Return the module."""
        from descentlab.models.point import PointModule

        return PointModule(self.start, self.spread, key=key, dtype=dtype)


class Imported(Model):
    """A model of one's own: ``object(input_shape, outputs, key=key, **settings)``.

    ``kind`` is ``package.module:object``. The object returns an Equinox module that takes
    one example, as Equinox's own do: ``module(x, key=key)`` or ``module(x)``. ``key`` is None
    where dropout is off. Floats among the settings are data: they may be traced arrays.
    """

    kind: str
    settings: dict[str, Any] = {}
    batched: ClassVar[bool] = False

    @model_validator(mode="after")
    def _can_be_called(self) -> Imported:
        try:
            signature = inspect.signature(_find(self.kind))
        except (TypeError, ValueError):  # a callable that does not say what it takes
            return self
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            taken = list(signature.parameters)
            for name in self.settings:
                if name not in taken:
                    raise ValueError(unknown(f"setting of {self.kind}", name, taken))
        try:
            signature.bind((), 1, key=None, **self.settings)
        except TypeError as error:
            raise ValueError(
                f"{self.kind} cannot be called as object(input_shape, outputs, key=key, "
                f"**settings): {error}; its signature is {signature}"
            ) from None
        return self

    def build(self, input_shape: tuple[int, ...], outputs: int, *, key: Any, dtype: Any) -> Any:
        """Call the imported object; its floating-point arrays get the run's precision.

        Raises:
            SpecError: the object or the module that it makes fails, is no Equinox module, or
                gives outputs of another shape than ``[outputs]``.
        """
        import equinox as eqx
        import jax

        try:
            module = _find(self.kind)(input_shape, outputs, key=key, **self.settings)
        except Exception as error:
            raise SpecError(f"run.model: {self.kind} failed: {_said(error)}") from error
        if not isinstance(module, eqx.Module):
            raise SpecError(
                f"run.model: {self.kind} must return an Equinox module (equinox.Module), "
                f"found {type(module).__name__}"
            )
        module = jax.tree.map(
            lambda leaf: leaf.astype(dtype) if eqx.is_inexact_array(leaf) else leaf, module
        )
        self._check(module, input_shape, outputs, dtype)
        return module

    def _check(self, module: Any, shape: tuple[int, ...], outputs: int, dtype: Any) -> None:
        """See what one example gives, without computing anything."""
        import equinox as eqx
        import jax

        quiet = eqx.nn.inference_mode(module)
        example = jax.ShapeDtypeStruct(shape, dtype)
        try:
            named = {"key": None} if "key" in inspect.signature(quiet).parameters else {}
            found = eqx.filter_eval_shape(quiet, example, **named)
        except Exception as error:
            raise SpecError(
                f"run.model: the module of {self.kind} failed on one example of shape {shape}: "
                f"{_said(error)}"
            ) from error
        if getattr(found, "shape", None) != (outputs,):
            raise SpecError(
                f"run.model: the module of {self.kind} must map one example of shape {shape} to "
                f"an array of shape ({outputs},), found {getattr(found, 'shape', found)}"
            )


def _find(kind: str) -> Any:
    module, _, name = kind.partition(":")
    return getattr(importlib.import_module(module), name)


def _said(error: Exception) -> str:
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first}"


def _imported(kind: str, found: Any) -> type[Spec]:
    if not callable(found):
        raise ValueError(f"'{kind}' is {type(found).__name__}, which makes no model")
    return Imported


CATALOGUE = Catalogue(
    "model",
    {"linear": Linear, "logistic": Logistic, "mlp": MultiLayerPerceptron, "point": Point},
    wrap=_imported,
)
