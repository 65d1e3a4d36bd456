"""Whether a model's outputs, the loss and the targets of ``train`` fit together.

The module is evaluated abstractly on every part's inputs, as training and as an evaluation
call it, so that nothing is computed and nothing broadcasts in silence.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from descentlab.core.errors import DataError, DescentLabError, SpecError
from descentlab.data.dataset import Dataset, Examples
from descentlab.engine.direct_parts import Build, said

if TYPE_CHECKING:
    from descentlab.objectives.objective import Objective

Loss = str | Callable[[Any, Any], Any]
LOGIT = "binary_cross_entropy"


@dataclasses.dataclass(frozen=True)
class Probe:
    """The abstract evaluation of one run's model.

    Attributes:
        build: makes the module from floats and key.
        floats: of one configuration.
        precision: of the run.
        batch: examples of one batch.
    """

    build: Build
    floats: Mapping[str, Any]
    precision: str
    batch: int

    def outputs(self, shape: tuple[int, ...], training: bool) -> Any:
        """Return the forms of the outputs for a batch of examples of a shape."""
        import equinox as eqx
        import jax

        from descentlab.core.keys import named_key

        def call(floats: Any, inputs: Any) -> Any:
            module = self.build(floats, named_key(0, "init"))
            return _forward(module, inputs, named_key(0, "dropout") if training else None)

        with jax.enable_x64(self.precision == "float64"):
            inputs = jax.ShapeDtypeStruct((self.batch, *shape), self.precision)
            return eqx.filter_eval_shape(call, self.floats, inputs)

    def losses(self, loss: Callable[[Any, Any], Any], outputs: Any, targets: np.ndarray) -> Any:
        """Return the form of a batch's losses, or say why a loss of one's own fails."""
        import jax

        with jax.enable_x64(self.precision == "float64"):
            dtype = jax.dtypes.canonicalize_dtype(targets.dtype)
            form = jax.ShapeDtypeStruct((self.batch, *targets.shape[1:]), dtype)
            try:
                return jax.eval_shape(loss, outputs, form)
            except DescentLabError:
                raise
            except Exception as error:
                raise SpecError(
                    f"train: 'loss' failed on outputs of {_shown(outputs)} and targets of shape "
                    f"{form.shape} and type {form.dtype}: {said(error)}"
                ) from error


def fitted(
    parts: Mapping[str, Examples], kind: str, loss: Loss, probe: Probe
) -> tuple[Dataset, Objective]:
    """Return data and objective, having seen that the model's outputs fit both.

    Raises:
        SpecError: the model fails on an example, or gives other outputs than the loss needs.
        DataError: a part's inputs or targets are not such as the training part's.
    """
    if not isinstance(loss, str) and not callable(loss):
        raise SpecError(
            "train: 'loss' must be the name of a loss or a function of outputs and targets, found "
            f"{type(loss).__name__}"
        )
    found = _outputs(parts, probe)
    classes = 0 if kind == "regression" else _classes(parts, loss, found)
    data = Dataset(
        "arrays",
        parts["training"],
        parts.get("validation"),
        parts.get("test"),
        tuple(map(str, range(classes))),
        {},
    )
    built = _objective(kind, loss, data)
    if isinstance(loss, str):
        _expect(found, (built.outputs,), f"loss '{loss}' on these targets")
    else:
        targets = np.asarray(built.prepare(parts["training"].targets))
        _check_losses(probe.losses(loss, found, targets), probe.batch)
    return data, built


def _objective(kind: str, loss: Loss, dataset: Dataset) -> Objective:
    from descentlab.objectives.specs import CATALOGUE

    spec: Any = CATALOGUE.validate(kind)
    if isinstance(loss, str):
        return spec.build(loss, dataset)
    usual = "mse" if kind == "regression" else "cross_entropy"
    built = spec.build(usual, dataset)
    return dataclasses.replace(built, loss=loss, metrics={**built.metrics, "loss": loss})


def _outputs(parts: Mapping[str, Examples], probe: Probe) -> Any:
    """Return the forms of the outputs, having seen that they are the same wherever it is called."""
    shape = parts["training"].inputs.shape[1:]
    try:
        found = probe.outputs(shape, training=True)
        same = probe.outputs(shape, training=False)
    except _ModelError as error:
        raise SpecError(
            f"train: the model failed on one training example, an array of shape {shape}: {error}"
        ) from error.__cause__
    if _shown(found) != _shown(same):
        raise SpecError(
            f"train: the model gives outputs of {_shown(found)} in training and of {_shown(same)} "
            "in evaluations (key=None, dropout off); both must be the same"
        )
    for name, part in parts.items():
        other = part.inputs.shape[1:]
        if other == shape:
            continue
        wrong = f"train: {name} inputs have shape {other} an example, the training inputs {shape}, "
        try:
            shown = _shown(probe.outputs(other, training=False))
        except _ModelError as error:
            raise DataError(f"{wrong}and the model failed on them: {error}") from error.__cause__
        if shown != _shown(found):
            raise DataError(f"{wrong}and the outputs differ: {shown} and {_shown(found)}")
    return found


def _classes(parts: Mapping[str, Examples], loss: Loss, found: Any) -> int:
    """Return the number of classes, one an output; a label without an output is refused."""
    highest = {name: int(part.targets.max()) for name, part in parts.items()}
    if not max(highest.values()):
        return 1  # the objective says what is wrong with one class
    needed = highest["training"] + 1
    if loss == LOGIT:
        if needed > 2:
            return needed  # as above
        _expect(found, (1,), f"loss '{LOGIT}', one logit for two classes,")
        outputs, why = 2, f"{LOGIT} is for two"
    else:
        outputs, why = _vector(found, max(2, needed), loss), "the model has an output for each"
    for name, part in parts.items():
        wrong = np.flatnonzero(part.targets >= outputs)
        if len(wrong):
            raise DataError(
                f"train: {name} targets must be among the classes 0 to {outputs - 1} ({why}), "
                f"found {part.targets[wrong[0]]} at example {wrong[0]} ({len(wrong)} such); "
                "remove such examples, or give the model an output for every class"
            )
    return outputs


def _vector(found: Any, needed: int, loss: Loss) -> int:
    """Return the number of outputs, at least one for each class of the training targets."""
    shape = getattr(found, "shape", None)
    if shape is not None and len(shape) == 2 and shape[1] >= needed:
        _expect(found, (shape[1],), "classification")
        return shape[1]
    if loss == "cross_entropy" and needed == 2:
        hint = f"; for one logit use loss='{LOGIT}'"
    elif not isinstance(loss, str):
        hint = "; for a loss of your own on other outputs use objective='regression'"
    else:
        hint = ""
    raise SpecError(
        f"train: classification needs one output for each class, at least {needed} for these "
        f"training targets: an array of shape ({needed},) an example, found {_shown(found)}; "
        f"give the model {needed} outputs{hint}"
    )


def _expect(found: Any, shape: tuple[int, ...], what: str) -> None:
    """Refuse outputs of another shape an example, or of no floats."""
    import jax.numpy as jnp

    own = getattr(found, "shape", None)
    if own is None or own[1:] != shape:
        raise SpecError(
            f"train: {what} needs an array of shape {shape} an example, and the model "
            f"gives {_shown(found)}; change the model's outputs, or the loss or targets"
        )
    if not jnp.issubdtype(found.dtype, np.floating):
        raise SpecError(f"train: the model's outputs must be floats, found {found.dtype}")


def _check_losses(found: Any, batch: int) -> None:
    import jax.numpy as jnp

    array = hasattr(found, "shape")
    if not array or found.shape != (batch,) or not jnp.issubdtype(found.dtype, np.floating):
        shown = f"shape {found.shape} and type {found.dtype}" if array else type(found).__name__
        raise SpecError(
            f"train: 'loss' must return one float an example, shape ({batch},) for a batch of "
            f"{batch}, found {shown}; take means over the outputs' axes alone"
        )


class _ModelError(Exception):
    """A module failed on an example; the message says how."""


def _forward(module: Any, inputs: Any, key: Any) -> Any:
    """Call a module as :mod:`descentlab.engine.step` does."""
    import equinox as eqx
    import jax

    if not callable(module):
        raise SpecError(
            f"train: the module must be callable with one example, and {type(module).__name__} "
            "has no __call__"
        )
    try:
        if "key" not in inspect.signature(module).parameters:
            return jax.vmap(module)(inputs)
        if key is None:
            quiet: Any = eqx.nn.inference_mode(module)
            return jax.vmap(lambda x: quiet(x, key=None))(inputs)
        keys = jax.random.split(key, len(inputs))
        return jax.vmap(lambda x, k: module(x, key=k))(inputs, keys)
    except DescentLabError:
        raise
    except Exception as error:
        raise _ModelError(said(error)) from error


def _shown(outputs: Any) -> str:
    """Say what one example's outputs are."""
    if hasattr(outputs, "shape"):
        return f"shape {outputs.shape[1:]}"
    return f"a {type(outputs).__name__} instead of an array"
