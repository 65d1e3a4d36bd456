"""What :func:`descentlab.engine.direct.train` is given, checked: numbers, words and arrays."""

from __future__ import annotations

import itertools
import operator
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from descentlab.core.errors import DataError, SpecError, unknown
from descentlab.data.batches import Batches, Full, Shuffled
from descentlab.data.dataset import Examples
from descentlab.engine.strategy import Strategy

SEEDS = 1 << 32
"""Seeds are 32 bits wide."""

MOST_SEEDS = 100_000
MOST_UPDATES = (1 << 31) - 1

COLUMNS = ("configuration", "seed", "diverged", "step", "epoch")
"""Columns of the records beside settings and metrics."""


class Pace(NamedTuple):
    """Which and how many examples an update sees, the number of updates, updates a record."""

    batches: Batches
    batch: int
    steps: int
    every: int


def words(objective: Any, train_record: Any, precision: Any) -> None:
    """Refuse an unknown objective, way of recording or precision."""
    _choice("objective", objective, ("classification", "regression"))
    _choice("train_record", train_record, ("running", "evaluated"))
    _choice("precision", precision, ("float32", "float64"))


def _choice(name: str, value: Any, known: Sequence[str]) -> None:
    """Refuse a word that is none of the known ones."""
    if not isinstance(value, str):
        raise SpecError(f"train: '{name}' must be one of {', '.join(known)}; found {value!r}")
    if value not in known:
        raise SpecError(f"train: {unknown(name, value, known)}")


def whole(name: str, value: Any, least: int = 1, other: str = "") -> int:
    """Return a whole number from ``least`` on; ``other`` says what else there might be."""
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise SpecError(
            f"train: '{name}' must be a whole number from {least} on{other}, found {value!r}"
        )
    return number


def pace(epochs: Any, steps: Any, batch_size: Any, every: Any, examples: int) -> Pace:
    """Return batches, updates and records of ``epochs`` or ``steps``."""
    if (epochs is None) == (steps is None):
        raise SpecError("train: give either 'epochs' or 'steps', and not both")
    batches: Batches = Full()
    if batch_size is not None:
        size = whole("batch_size", batch_size, other=", or None for all examples")
        if size > examples:
            raise SpecError(
                f"train: 'batch_size' {size} is larger than the training data ({examples} "
                f"examples); choose at most {examples}, or None for all examples"
            )
        batches = Shuffled(size=size)
    per_epoch = batches.steps_per_epoch(examples)
    if steps is None:
        total = whole("epochs", epochs) * per_epoch
    else:
        total = whole("steps", steps)
    if total > MOST_UPDATES:
        raise SpecError(f"train: {total:,} updates; at most {MOST_UPDATES:,} can be counted")
    if not (isinstance(every, str) and every == "epoch"):
        per_epoch = whole("every", every, other=", or 'epoch'")
    return Pace(batches, batches.batch_size(examples), total, min(total, per_epoch))


def layout(strategy: Any) -> Strategy | None:
    """Return a layout that may be text, as the command line takes it."""
    if strategy is None or isinstance(strategy, Strategy):
        return strategy
    try:
        return Strategy.parse(str(strategy))
    except SpecError as error:
        raise SpecError(f"train: {str(error).removeprefix('--')}") from None


def seeds_of(seeds: Any) -> list[int]:
    """Return the seeds: 0 … n-1 for a number of them, or the given ones, each there once."""
    if isinstance(seeds, (bool, np.bool_, str, bytes, Mapping)):
        raise SpecError(f"train: 'seeds' must be a number of seeds or a list, found {seeds!r}")
    try:
        count = operator.index(seeds)
    except TypeError:
        count = None
    if count is not None:
        if count > MOST_SEEDS:
            raise SpecError(
                f"train: 'seeds' is a number of seeds up to {MOST_SEEDS:,}, found {count:,}; "
                "for one seed of that number, give a list: seeds=[number]"
            )
        found = list(range(count))
    elif isinstance(seeds, Iterable) and getattr(seeds, "ndim", 1) == 1:
        found = [_seed(seed) for seed in seeds]
    else:
        raise SpecError(f"train: 'seeds' must be a number of seeds or a list, found {seeds!r}")
    if not found:
        raise SpecError("train: there must be a seed; 'seeds' is a number from 1 on, or a list")
    twice = [seed for seed, times in Counter(found).items() if times > 1]
    if twice:
        raise SpecError(
            f"train: the seed {twice[0]} is in 'seeds' more than once; the same seed gives the "
            "same run again, so give each once"
        )
    return found


def _seed(value: Any) -> int:
    try:
        number = -1 if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number < SEEDS:
        raise SpecError(
            f"train: each of 'seeds' must be a whole number from 0 to {SEEDS - 1}, found {value!r}"
        )
    return number


def combinations(settings: Any) -> list[dict[str, float]]:
    """Return all combinations of the settings' values."""
    if settings is None:
        return [{}]
    if not isinstance(settings, Mapping):
        raise SpecError(
            "train: 'settings' must map names to lists of values, such as "
            f"{{'learning_rate': [0.1, 0.3]}}, found {type(settings).__name__}"
        )
    values = [_values(name, given) for name, given in settings.items()]
    return [dict(zip(settings, found, strict=True)) for found in itertools.product(*values)]


def _values(name: Any, given: Any) -> list[float]:
    if not isinstance(name, str) or name in COLUMNS or name == "key":
        raise SpecError(
            f"train: a setting cannot be called {name!r}: names are text, and those of the "
            f"results' columns ({', '.join(COLUMNS)}) and 'key' are taken; use another name"
        )
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise SpecError(
            f"train: the setting '{name}' needs a list of values, such as [0.1, 0.3], or [0.1] "
            f"for a single one; found {given!r}"
        )
    if getattr(given, "ndim", 1) != 1:
        raise SpecError(
            f"train: the setting '{name}' needs a list of values, found an array of shape "
            f"{np.shape(given)}"  # type: ignore[arg-type]
        )
    found = [_number(name, value) for value in given]
    if not found:
        raise SpecError(f"train: the setting '{name}' needs at least one value")
    return found


def _number(name: str, value: Any) -> float:
    """Return a value of a setting as a float; words and truth values are structure, not data."""
    try:
        if not isinstance(value, (bool, np.bool_, str, bytes, complex, np.complexfloating)):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise SpecError(
        f"train: the setting '{name}' must hold numbers, found {value!r}; only floats can vary in "
        "one compiled program. For anything else call train once for each value, with a model or "
        "optimizer made for it"
    )


def examples_of(data: Any, validation: Any, test: Any, objective: str) -> dict[str, Examples]:
    """Return the parts that are given, each with checked inputs and targets."""
    given = {"training": data, "validation": validation, "test": test}
    return {
        name: _examples(pair, name, objective)
        for name, pair in given.items()
        if pair is not None or name == "training"
    }


def _examples(pair: Any, name: str, objective: str) -> Examples:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        found = type(pair).__name__
        if isinstance(pair, (tuple, list)):
            found += f" of {len(pair)}"
        raise DataError(f"train: {name} data must be a pair (inputs, targets), found {found}")
    inputs, targets = _array(pair[0], f"{name} inputs"), _array(pair[1], f"{name} targets")
    if len(inputs) != len(targets) or not len(inputs):
        raise DataError(
            f"train: {name} has {len(inputs)} inputs and {len(targets)} targets; "
            "each example needs one of both, and there must be an example"
        )
    _real(inputs, f"{name} inputs")
    if not np.isfinite(inputs).all():
        raise DataError(f"train: {name} inputs hold NaN or infinite numbers; remove or fill them")
    if objective == "regression":
        _real(targets, f"{name} targets", " (for classes use objective='classification')")
        if not np.isfinite(targets).all():
            raise DataError(f"train: {name} targets hold NaN or infinite numbers; remove such")
        return Examples(inputs, targets.astype(float).reshape(len(targets), -1))
    return Examples(inputs, _class_numbers(targets, name))


def _array(values: Any, what: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except Exception as error:  # rows of different lengths; an array that jax holds elsewhere
        raise DataError(
            f"train: {what} must be an array; give every example the same shape, and numbers "
            f"({type(error).__name__}: {error})"
        ) from error
    if not array.ndim:
        raise DataError(
            f"train: {what} must be an array of one entry an example, found {type(values).__name__}"
        )
    return array


def _real(array: np.ndarray, what: str, hint: str = "") -> None:
    """Refuse what is no array of real numbers."""
    import jax.numpy as jnp

    kind = array.dtype.kind
    if kind in "biuf" or jnp.issubdtype(array.dtype, np.floating):  # bfloat16 is of no kind
        return
    if kind == "c":
        raise DataError(
            f"train: {what} must be real numbers, found {array.dtype}; the imaginary part would "
            "be lost. Give real and imaginary parts as numbers of their own"
        )
    raise DataError(
        f"train: {what} must be numbers, found an array of dtype {array.dtype}; "
        f"turn text into numbers and convert it, as by .astype('float32'){hint}"
    )


def _class_numbers(targets: np.ndarray, name: str) -> np.ndarray:
    if targets.dtype.kind not in "iu":
        raise DataError(
            f"train: {name} targets must be class numbers 0, 1, …, found {targets.dtype}; "
            "number the classes (numpy.unique(labels, return_inverse=True)[1]), or use "
            "objective='regression' for numbers to be predicted"
        )
    if targets.ndim != 1:
        raise DataError(
            f"train: {name} targets must be one class number an example, found shape "
            f"{targets.shape}; of one-hot rows take the argmax"
        )
    wrong = np.flatnonzero((targets < 0) | (targets > np.iinfo(np.int32).max))
    if len(wrong):
        raise DataError(
            f"train: {name} targets must be class numbers 0, 1, …, found {targets[wrong[0]]} at "
            f"example {wrong[0]} ({len(wrong)} such)"
        )
    return targets.astype(np.int32)
