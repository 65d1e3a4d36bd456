"""Models by name: linear, logistic, multi-layer perceptron, and one's own.

Convolutional models come with a later release; they will be kinds of this catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, create_model

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec
from descentlab.models.activations import ActivationName
from descentlab.models.initial import CATALOGUE as INITIAL

InitialField = Annotated[Any, PlainValidator(INITIAL.validate)]


class Model(Spec):
    """Base of the models' specifications."""

    batched: ClassVar[bool] = True
    """Whether the module takes a batch; an imported one takes one example, as Equinox's do."""

    def build(self, input_shape: tuple[int, ...], outputs: int, *, key: Any, dtype: Any) -> Any:
        """Return the Equinox module with its initial weights; called inside a compiled program."""
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
            input_shape, (), outputs, _identity, self.initial, bias=self.bias, key=key, dtype=dtype
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
        from descentlab.models.activations import activation
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


class Imported(Model):
    """A model of one's own: ``object(input_shape, outputs, key=key, **settings)``.

    ``kind`` is ``package.module:object``. The object returns an Equinox module that
    takes one example. Floats among the settings are data and can be varied cheaply.
    """

    kind: str
    settings: dict[str, Any] = {}
    batched: ClassVar[bool] = False
    make: ClassVar[Callable[..., Any]]

    def build(self, input_shape: tuple[int, ...], outputs: int, *, key: Any, dtype: Any) -> Any:
        """Call the imported object; its floating-point arrays get the run's precision."""
        import equinox as eqx
        import jax

        try:
            module = type(self).make(input_shape, outputs, key=key, **self.settings)
        except TypeError as error:
            raise SpecError(
                f"run.model: {self.kind} could not be called as "
                f"object(input_shape, outputs, key=key, **settings): {error}"
            ) from None
        if not isinstance(module, eqx.Module):
            raise SpecError(
                f"run.model: {self.kind} returned {type(module).__name__}, not an Equinox module"
            )
        cast = lambda leaf: leaf.astype(dtype) if eqx.is_inexact_array(leaf) else leaf  # noqa: E731
        return jax.tree.map(cast, module)


def _identity(x: Any) -> Any:
    return x


def _imported(kind: str, found: Any) -> type[Spec]:
    if not callable(found):
        raise ValueError(f"'{kind}' is {type(found).__name__}, which makes no model")
    spec = create_model("Imported", __base__=Imported)
    spec.make = staticmethod(found)
    return spec


CATALOGUE = Catalogue(
    "model",
    {"linear": Linear, "logistic": Logistic, "mlp": MultiLayerPerceptron},
    wrap=_imported,
)
