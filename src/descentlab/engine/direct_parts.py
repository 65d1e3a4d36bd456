"""A model and an optimizer as :func:`descentlab.engine.direct.train` takes them.

Each is a value, or a function that makes one of the settings that its signature names. What
they do is looked at by abstract evaluation before anything is compiled.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from descentlab.core.errors import DescentLabError, SpecError, nearest

Build = Callable[[Mapping[str, Any], Any], Any]
Make = Callable[[Mapping[str, Any]], Any]

TRACED = (
    "; its settings ({}) arrive as traced floats, because only floats can vary in one compiled "
    "program. A whole number or a switch that decides a shape or a branch must be fixed: call "
    "train once for each value, with {}"
)


def makers(model: Any, optimizer: Any, settings: Iterable[str]) -> tuple[Build, Make]:
    """Return what makes the module and the optimizer of a run.

    Raises:
        SpecError: a setting is named by neither, or one cannot be called as it will be.
    """
    _check_settings(settings, model, optimizer)
    return _builder(model, settings), _maker(optimizer, settings)


def _builder(model: Any, settings: Iterable[str]) -> Build:
    import equinox as eqx

    if isinstance(model, eqx.Module):
        return lambda floats, key: model
    if not callable(model):
        raise SpecError(
            f"train: 'model' must be an Equinox module or make one, found {type(model).__name__}"
        )
    wanted = _wanted(model, settings)
    _bind(model, ["key", *wanted], "model", "lambda key: equinox.nn.Linear(4, 2, key=key)")

    def build(floats: Mapping[str, Any], key: Any) -> Any:
        try:
            module = model(key=key, **{name: floats[name] for name in wanted})
        except DescentLabError:
            raise
        except Exception as error:
            hint = TRACED.format(", ".join(wanted), "model=lambda key: make(key, width=8), say")
            raise SpecError(
                f"train: 'model' failed to make a module: {said(error)}{hint if wanted else ''}"
            ) from error
        if not isinstance(module, eqx.Module):
            raise SpecError(
                "train: 'model' must return an Equinox module (equinox.Module), found "
                f"{type(module).__name__}"
            )
        return module

    return build


def _maker(optimizer: Any, settings: Iterable[str]) -> Make:
    import optax

    from descentlab.optimizers.protocol import from_optax

    if isinstance(optimizer, optax.GradientTransformation):
        return lambda floats: from_optax(optimizer)
    if _is_optimizer(optimizer):
        return lambda floats: optimizer
    if not callable(optimizer):
        raise SpecError(
            "train: 'optimizer' must be an Optax transformation or make one of settings, found "
            f"{type(optimizer).__name__}"
        )
    wanted = _wanted(optimizer, settings)
    _bind(optimizer, wanted, "optimizer", "lambda learning_rate: optax.adam(learning_rate)")

    def make(floats: Mapping[str, Any]) -> Any:
        try:
            made = optimizer(**{name: floats[name] for name in wanted})
        except DescentLabError:
            raise
        except Exception as error:
            hint = TRACED.format(", ".join(wanted), "optimizer=functools.partial(…), say")
            raise SpecError(
                f"train: 'optimizer' failed: {said(error)}{hint if wanted else ''}"
            ) from error
        if isinstance(made, optax.GradientTransformation):
            return from_optax(made)
        if not _is_optimizer(made):
            raise SpecError(
                "train: 'optimizer' must return an Optax transformation "
                f"(optax.GradientTransformation), found {type(made).__name__}"
            )
        return made

    return make


def _check_settings(settings: Iterable[str], model: Any, optimizer: Any) -> None:
    """Refuse a setting that neither the model's nor the optimizer's function names."""
    import equinox as eqx
    import optax

    known: dict[str, list[str]] = {}
    if not isinstance(model, eqx.Module):
        known["'model'"] = [name for name in _names(model) if name != "key"]
    if not isinstance(optimizer, optax.GradientTransformation) and not _is_optimizer(optimizer):
        known["'optimizer'"] = _names(optimizer)
    every = sorted(set().union(*known.values()))
    for name in settings:
        if name in every:
            continue
        guess = nearest(name, every)
        hint = f"; did you mean '{guess}'?" if guess else ""
        named = [f"{word} names {', '.join(names) or 'none'}" for word, names in known.items()]
        raise SpecError(
            f"train: unknown setting '{name}'{hint} (a setting goes to the functions whose "
            f"signature names it: {'; '.join(named) or 'neither model nor optimizer is one'}); "
            f"correct the name, or pass a function that takes it, such as lambda {name}: …"
        )


def check_optimizer(make: Make, build: Build, floats: Mapping[str, Any], precision: str) -> None:
    """See by abstract evaluation that one update works, and keeps the parameters' form."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from descentlab.core.keys import named_key
    from descentlab.engine.parameters import is_setting, trainable

    def update(floats: Any) -> Any:
        model = build(floats, named_key(0, "init"))
        parameters = eqx.partition(model, trainable, is_leaf=is_setting)[0]
        optimizer = make(floats)
        try:
            state = optimizer.init(parameters)
            new, state = optimizer.update(
                jax.tree.map(jnp.zeros_like, parameters),
                state,
                parameters,
                value=jnp.zeros((), precision),
                hvp=lambda vector: vector,
                loss=lambda parameters: jnp.zeros(()),
            )
            return parameters, new, optimizer.evaluation_parameters(new, state)
        except DescentLabError:
            raise
        except Exception as error:
            raise SpecError(
                f"train: 'optimizer' failed at its first update: {said(error)}"
            ) from error

    with jax.enable_x64(precision == "float64"):
        before, new, evaluated = (_forms(t) for t in eqx.filter_eval_shape(update, floats))
    if not before == new == evaluated:
        raise SpecError(
            "train: 'optimizer' must return parameters of the shapes and dtypes that they had; "
            "its update returns others"
        )


def said(error: Exception) -> str:
    """Return an error's kind and the first line of its message."""
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first}"


def _forms(tree: Any) -> tuple[Any, list[tuple[Any, str]]]:
    import jax

    leaves, structure = jax.tree.flatten(tree)
    return structure, [(leaf.shape, str(leaf.dtype)) for leaf in leaves]


def _is_optimizer(value: Any) -> bool:
    names = ("init", "update", "evaluation_parameters")
    return all(hasattr(value, name) for name in names) and not isinstance(value, type)


def _names(function: Callable[..., Any]) -> list[str]:
    """Return the names that can be given to a function as keywords."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable that does not say what it takes
        return []
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [parameter.name for parameter in parameters if parameter.kind in kinds]


def _wanted(function: Callable[..., Any], settings: Iterable[str]) -> list[str]:
    """Return those settings that a function's signature names."""
    names = _names(function)
    return [name for name in settings if name in names]


def _bind(function: Callable[..., Any], keywords: list[str], what: str, such_as: str) -> None:
    """See that a function can be called with these keywords and with nothing else."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**dict.fromkeys(keywords))
    except TypeError as error:
        call = ", ".join(f"{name}=…" for name in keywords)
        said_names = ", ".join(map(str, signature.parameters)) or "nothing"
        raise SpecError(
            f"train: '{what}' is called as {what}({call}), and that fails: {error} (it takes "
            f"{said_names}). Vary what is missing in 'settings', fix it in a function such as "
            f"{such_as}, or pass {'an Optax transformation' if what == 'optimizer' else 'a module'}"
        ) from None
